/** The test files that docs/testing.md shows: they pass under the runner that they are written for, on the built package. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, describe, expect, test } from 'vitest'
import { blocksOf } from '../support/docs-blocks.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const page = 'docs/testing.md'
const blocks = blocksOf(page, readFileSync(join(root, page), 'utf8'))
// Below the project, so that the package finds itself by its name, and etcd3 and vitest are there.
mkdirSync(join(root, 'build'), { recursive: true })
const folder = mkdtempSync(join(root, 'build', 'testing-guide-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** The blocks that import a runner, as files of JavaScript in a folder of their own. */
function filesFor(runner: string): { readonly inside: string; readonly files: readonly string[] } {
  const inside = join(folder, runner.replace(':', '-'))
  mkdirSync(inside)
  const found = blocks.filter(({ text }) => text.includes(` from '${runner}'`))
  const files = found.map(({ text }, index) => {
    const file = join(inside, `block-${String(index)}.test.mjs`)
    writeFileSync(file, ts.transpileModule(text, { compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext } }).outputText)
    return file
  })
  return { inside, files }
}

const run = (args: readonly string[], cwd: string): string => execFileSync(process.execPath, args, { cwd, encoding: 'utf8', env: { ...process.env, NODE_TEST_CONTEXT: undefined, FORCE_COLOR: '0', NO_COLOR: '1' } })

describe('the tests of docs/testing.md', { timeout: 60_000 }, () => {
  test('pass in vitest', () => {
    const { inside, files } = filesFor('vitest')
    writeFileSync(join(inside, 'vitest.config.mjs'), 'export default { test: { include: ["*.test.mjs"] } }\n')
    expect(files).toHaveLength(2)
    expect(run([join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', inside, '--reporter=json'], inside)).toContain('"numPassedTests":2')
  })

  test('pass in node:test', () => {
    const { inside, files } = filesFor('node:test')
    expect(files).toHaveLength(1)
    expect(run(['--test', '--test-reporter=tap', ...files], inside)).toMatch(/^# pass 1$/m)
  })
})
