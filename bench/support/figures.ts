/** Figures: medians and their spread, time and memory, and tables of them. */
import { setFlagsFromString, getHeapStatistics } from 'node:v8'
import { runInNewContext } from 'node:vm'

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

/** `1.23 s (1.20 to 1.31)` */
export function seconds(values: readonly number[]): string {
  if (values.length === 0) return ''
  const shown = (value: number): string => (value / 1000).toFixed(2)
  return `${shown(median(values))} s${values.length > 1 ? ` (${shown(Math.min(...values))} to ${shown(Math.max(...values))})` : ''}`
}

// As `node --expose-gc` would have it, whoever starts the bench.
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes on the heap that something still needs. */
export function heapInUse(): number {
  collect()
  collect()
  return getHeapStatistics().used_heap_size
}

/** Bytes on the heap, garbage included. */
export const heapNow = (): number => getHeapStatistics().used_heap_size

export const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)

/** Rows of a Markdown table. */
export function markdown(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n')
}
