/** Work over a source of items: so many at a time, the results in the order of the items, each as soon as it is its turn. */
import type { AbortSignalLike } from '../platform.js'

/** How many at a time, and what ends it early. */
export interface InOrder {
  readonly concurrency: number
  readonly signal: AbortSignalLike | undefined
  /** What is thrown where the signal ended it. */
  readonly stopped: () => Error
}

interface UnderWay<R> {
  readonly settled: Promise<void>
  result?: { readonly value: R }
}

/** How it stands with the source. */
interface State {
  taken: number
  asking: boolean
  ended: boolean
  closed: boolean
  failed?: { readonly error: unknown }
}

/**
 * Takes no item beyond `concurrency` that nobody has read the result of, and waits for the next item and for the next result at once, so that a quiet source
 * holds up neither what is ready nor the signal. What the source throws comes in its turn. However it ends, it waits for what is under way, and not for
 * the source, which may never close; an item that comes later is dropped. `work` must not reject.
 */
export async function* inOrder<T, R>(
  source: Iterable<T> | AsyncIterable<T>,
  work: (item: T, index: number) => Promise<R>,
  { concurrency, signal, stopped }: InOrder,
): AsyncGenerator<R, void, undefined> {
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  const underWay: UnderWay<R>[] = []
  const state: State = { taken: 0, asking: false, ended: false, closed: false }
  // One waiter, woken by each event: a race of promises would keep every result alive for as long as the slowest waits.
  let wake = (): void => undefined
  const isAborted = (): boolean => signal?.aborted === true

  const begin = (item: T): void => {
    const one: UnderWay<R> = {
      settled: work(item, state.taken++).then((value) => {
        one.result = { value }
        wake()
      }),
    }
    underWay.push(one)
  }
  const ask = async (): Promise<void> => {
    state.asking = true
    try {
      const next = await iterator.next()
      if (next.done === true) state.ended = true
      else {
        // Of a list of promises each is waited for, as `for await` does.
        const item = await next.value
        if (!state.closed && !isAborted()) begin(item)
      }
    } catch (error) {
      state.failed = { error }
      state.ended = true
    }
    state.asking = false
    wake()
  }

  const deaf = onAbort(signal, () => {
    wake()
  })
  try {
    for (;;) {
      const [head] = underWay
      if (head?.result !== undefined) {
        underWay.shift()
        yield head.result.value
        continue
      }
      if (!state.ended && !state.asking && !isAborted() && underWay.length < concurrency) void ask()
      if (underWay.length === 0 && (state.ended || isAborted())) break
      await new Promise<void>((resolve) => (wake = resolve))
    }
    if (state.failed !== undefined) throw state.failed.error
    if (!state.ended) throw stopped()
  } finally {
    state.closed = true
    deaf()
    if (!state.ended) void close(iterator)
    await Promise.all(underWay.map(({ settled }) => settled))
  }
}

/** Ends a source. Whether it can be ended is its own matter: a generator that waits for its next item cannot. */
async function close(iterator: { return?(): unknown }): Promise<void> {
  try {
    await iterator.return?.()
  } catch {
    // What ended the iteration is what its reader is told.
  }
}

/** Runs a function once the signal is aborted, where it can call back, as an `AbortSignal` does; the returned one takes that back. */
function onAbort(signal: AbortSignalLike | undefined, run: () => void): () => void {
  const { addEventListener, removeEventListener } = (signal ?? {}) as { readonly addEventListener?: unknown; readonly removeEventListener?: unknown }
  if (typeof addEventListener !== 'function' || typeof removeEventListener !== 'function') return () => undefined
  addEventListener.call(signal, 'abort', run)
  return () => void removeEventListener.call(signal, 'abort', run)
}
