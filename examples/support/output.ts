/** What a program shows and writes. */
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Rendered } from 'etcd-rbac'

export function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Writes a file with its mode from the first byte on, in a folder that only its owner may open. */
export async function writeText(path: string, contents: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(path, contents, { mode })
  await chmod(path, mode)
}

/** Writes what was rendered. */
export async function writeRendered({ directories, files }: Pick<Rendered, 'directories' | 'files'>): Promise<void> {
  for (const { path, mode } of directories) await mkdir(path, { recursive: true, mode })
  for (const { path, contents, mode } of files) await writeText(path, contents, mode)
}

/** A table whose columns are as wide as they must be. */
export function printTable(headings: readonly string[], rows: readonly (readonly string[])[]): void {
  const all = [headings, ...rows]
  const widths = headings.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  const line = (row: readonly string[]): string => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()
  say(line(headings))
  say(widths.map((width) => '-'.repeat(width)).join('  '))
  for (const row of rows) say(line(row))
}
