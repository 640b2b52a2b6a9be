/**
 * Clients at once, whose calls reach a store one at a time, in an order that a seed decides.
 *
 * Each call waits until it is let go, and the next goes only after its answer is there. Before one is chosen a macrotask passes, so that whoever
 * can wait is waiting: clients with several calls in flight are mixed too, and where nothing else moves the same seed gives the same order.
 */

/** Waits for its turn, and then makes a call. */
export type Turn = <T>(call: string, kind: 'read' | 'write', run: () => Promise<T>) => Promise<T>

/** A call that was let go. */
export interface Taken {
  readonly by: string
  readonly call: string
  readonly kind: 'read' | 'write'
}

/** Who looks on. Nothing moves meanwhile. */
export interface Watcher {
  /** After a call, before its client has the answer. `at` is its place in the order, from 0. */
  readonly taken: (taken: Taken, at: number) => Promise<void>
  /** When a client has ended; `at` calls have been taken by then. */
  readonly ended: (by: string, at: number) => Promise<void>
}

interface Waiting extends Taken {
  readonly go: () => Promise<() => void>
}

/** Numbers from 0 to below 1 that a seed decides (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** One of a list. */
export function oneOf<T>(random: () => number, list: readonly T[]): T {
  return list[Math.trunc(random() * list.length)] as T
}

/**
 * Runs the clients and gives the order in which their calls went, and what became of each.
 *
 * What the seed decides beside the order is its kind: how long one client goes on before another may, and whether all read what they must before
 * any writes. A call that is still waiting when its client has ended goes all the same, as a request that is on its way would.
 */
export async function interleave(
  seed: number,
  clients: Readonly<Record<string, (turn: Turn) => Promise<unknown>>>,
  { taken, ended }: Watcher,
): Promise<{ readonly order: readonly Taken[]; readonly results: ReadonlyMap<string, PromiseSettledResult<unknown>> }> {
  const random = randomOf(seed)
  // Either by chance at each call, or at few places, which gets one far ahead of the other.
  const persistence = oneOf(random, [0, 0.5, 0.9, 1, 1, 1])
  const switches = new Set(Array.from({ length: persistence < 1 ? 0 : 1 + Math.trunc(random() * 4) }, () => Math.trunc(random() * 160)))
  let together = random() < 0.7
  const order: Taken[] = []
  const waiting: Waiting[] = []
  const results = new Map<string, PromiseSettledResult<unknown>>()
  const left = new Set(Object.keys(clients))
  for (const [by, run] of Object.entries(clients)) {
    const turn: Turn = (call, kind, make) =>
      new Promise((resolve) => {
        const go = async (): Promise<() => void> => {
          const answer = make()
          await Promise.allSettled([answer])
          return () => resolve(answer)
        }
        waiting.push({ by, call, kind, go })
      })
    run(turn).then(
      (value) => results.set(by, { status: 'fulfilled', value }),
      (reason: unknown) => results.set(by, { status: 'rejected', reason }),
    )
  }

  let current = ''
  const next = (): Waiting | undefined => {
    const reads = waiting.filter(({ kind }) => kind === 'read')
    together &&= reads.length > 0
    const ready = together ? reads : waiting
    if (ready.length === 0) return undefined
    const names = [...new Set(ready.map(({ by }) => by))]
    const others = switches.has(order.length) ? names.filter((name) => name !== current) : names
    if (!(others.includes(current) && random() < persistence)) current = oneOf(random, others.length === 0 ? names : others)
    const chosen = oneOf(random, ready.filter(({ by }) => by === current))
    waiting.splice(waiting.indexOf(chosen), 1)
    return chosen
  }
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve))
    for (const by of [...left].filter((name) => results.has(name))) {
      left.delete(by)
      await ended(by, order.length)
    }
    const chosen = next()
    if (chosen === undefined) {
      if (left.size === 0) return { order, results }
      throw new Error(`${[...left].join(' and ')} neither ended nor asked for anything after ${String(order.length)} calls`)
    }
    const { go, ...what } = chosen
    const answer = await go()
    order.push(what)
    await taken(what, order.length - 1)
    answer()
  }
}
