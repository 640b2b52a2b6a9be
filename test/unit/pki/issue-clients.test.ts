import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { createCsr, days, issueClients, type Authority, type BulkOptions, type ClientRecord, type Issued, type IssueQuestion } from '../../../src/pki/index.js'
import { authority, csrOf, keyOf, NOW, policy, rejected, validity } from '../../support/pki.js'
import { hostile } from '../../support/thrown.js'

const { crypto } = globalThis
const clients = await authority(crypto, 'etcd-clients', ['client'])
const { signer } = await keyOf(crypto)
const csr = await createCsr(crypto, { signer })
const unproved = await csrOf(signer, [], { signature: () => new Uint8Array(8) })

interface Node {
  readonly user: 'calico-node'
  readonly label?: string
  readonly csr: string
  readonly authorize?: (question: IssueQuestion) => boolean | Promise<boolean>
}
const node = (index: number, change: Partial<Node> = {}): Node => ({ user: 'calico-node', label: `node-${String(index)}`, csr, ...change })
const nodes = (count: number): readonly Node[] => Array.from({ length: count }, (_, index) => node(index))
type Options = Partial<BulkOptions<typeof policy, Node>>
const issue = (requests: Iterable<Node> | AsyncIterable<Node>, options: Options = {}) => issueClients(clients, requests, { policy, validity, ...options })
const labelOf = ({ record }: Issued<ClientRecord>): string | undefined => record.label
const labels = (count: number): readonly (string | undefined)[] => nodes(count).map(({ label }) => label)

async function all(issued: AsyncIterable<Issued<ClientRecord>>): Promise<readonly Issued<ClientRecord>[]> {
  const found: Issued<ClientRecord>[] = []
  for await (const one of issued) found.push(one)
  return found
}

/** Requests whose hooks wait until they are let go, so that a test decides what is under way. */
function gates() {
  const waiting = new Map<number, () => void>()
  let most = 0
  const gated = (index: number): Node =>
    node(index, {
      authorize: () =>
        new Promise((allow) => {
          waiting.set(index, () => {
            waiting.delete(index)
            allow(true)
          })
          most = Math.max(most, waiting.size)
        }),
    })
  /** Resolves once so many wait. */
  const until = async (count: number): Promise<void> => {
    while (waiting.size < count) await new Promise(setImmediate)
  }
  return { gated, until, waiting, most: () => most }
}

describe('many certificates', () => {
  test('come in the order of the requests, whichever is ready first, each with its record and a serial number of its own', async () => {
    const { gated, until, waiting } = gates()
    const order: (number | undefined)[] = []
    const found = all(issue([0, 1, 2, 3].map(gated), { concurrency: 4, onIssued: (_, { index }) => order.push(index) }))
    await until(4)
    for (const index of [3, 1, 0, 2]) {
      waiting.get(index)?.()
      while (!order.includes(index)) await new Promise(setImmediate)
    }
    const issued = await found
    expect(issued.map(labelOf)).toEqual(labels(4))
    expect(order).toEqual([3, 1, 0, 2])
    expect(new Set(issued.map(({ record }) => record.serial)).size).toBe(4)
  })

  test.each([1, 2, 16])('are under way %i at a time, and no request is taken beyond that', async (concurrency) => {
    const { gated, until, waiting, most } = gates()
    let taken = 0
    const requests = (function* () {
      for (let index = 0; index < 40; index++) yield (taken++, gated(index))
    })()
    const found = all(issue(requests, { concurrency }))
    for (let index = 0; index < 40; index++) {
      await until(Math.min(concurrency, 40 - index))
      expect(taken).toBeLessThanOrEqual(index + concurrency)
      waiting.get(index)?.()
    }
    expect((await found).map(labelOf)).toEqual(labels(40))
    expect(most()).toBe(concurrency)
  })

  test('are sixteen at a time by default, and as few as are read: of an endless source, no more than that is taken ahead', async () => {
    let taken = 0
    let ended = false
    const endless = (async function* () {
      try {
        for (;;) yield await Promise.resolve(node(taken++))
      } finally {
        ended = true
      }
    })()
    const found: (string | undefined)[] = []
    for await (const one of issue(endless)) {
      found.push(labelOf(one))
      expect(taken).toBeLessThanOrEqual(found.length + 15)
      if (found.length === 100) break
    }
    expect(found).toEqual(labels(100))
    expect(ended).toBe(true)
  })

  test('report progress, one by one', async () => {
    const counts: number[] = []
    await all(issue(nodes(20), { onIssued: (_, { count }) => counts.push(count) }))
    expect(counts).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
  })

  test('of none are none', async () => {
    expect(await all(issue([]))).toEqual([])
  })

  test('may ask for less than the common validity, each for itself', async () => {
    const asked = days(1).from(NOW)
    const [short, long] = await all(issueClients(clients, [{ ...node(0), asked }, node(1)], { policy, validity }))
    expect([short?.notAfter, long?.notAfter]).toEqual([asked.notAfter, validity.notAfter])
  })

  test('cannot bring a policy or validity of their own', async () => {
    const sly = { ...node(0), policy: { ...policy, authorities: [] }, validity: days(300).from(NOW) }
    const [issued] = await all(issue([sly]))
    expect(issued?.notAfter).toEqual(validity.notAfter)
  })

  test('cannot be long-lived each for itself', async () => {
    const long = { ...node(0), longLived: 'longer than 397 days' }
    await rejected('ERR_VALIDITY_INVALID', all(issue([long], { validity: days(800).from(NOW) })))
    expect((await all(issue([node(0)], { validity: days(800).from(NOW), longLived: 'longer than 397 days' }))).length).toBe(1)
  })

  test('have the dates that were given at the beginning, whatever becomes of them', async () => {
    const given = { notBefore: new Date(NOW), notAfter: days(1).from(NOW).notAfter }
    const ends = new Set<string>()
    for await (const { record } of issue(nodes(40), { validity: given })) {
      ends.add(record.notAfter)
      given.notAfter.setTime(validity.notAfter.getTime())
    }
    expect([...ends]).toEqual([days(1).from(NOW).notAfter.toISOString()])
  })
})

describe('a request that is refused', () => {
  test('ends it in its turn, when what is under way is done: what was signed has been reported', async () => {
    const seen: (string | undefined)[] = []
    const found: (string | undefined)[] = []
    const requests = [node(0), node(1), node(2, { csr: unproved }), node(3), node(4)]
    const failing = (async () => {
      for await (const one of issue(requests, { concurrency: 5, onIssued: (issued) => seen.push(labelOf(issued)) })) found.push(labelOf(one))
    })()
    await rejected('ERR_CSR_SIGNATURE', failing)
    expect(found).toEqual(['node-0', 'node-1'])
    expect(seen.toSorted()).toEqual(['node-0', 'node-1', 'node-3', 'node-4'])
  })

  test('begins no other', async () => {
    let asked = 0
    const requests = [node(0, { csr: unproved }), ...Array.from({ length: 50 }, (_, index) => node(index + 1, { authorize: () => ++asked > 0 }))]
    await rejected('ERR_CSR_SIGNATURE', all(issue(requests, { concurrency: 2 })))
    expect(asked).toBeLessThan(3)
  })

  test('is handed to who asks for it, and the rest goes on', async () => {
    const refused: unknown[] = []
    const requests = [node(0), node(1, { csr: unproved }), node(2, { authorize: () => false }), node(3)]
    const found = await all(issue(requests, { onRefused: (error, request, index) => refused.push([(error as { code: string }).code, request.label, index]) }))
    expect(found.map(labelOf)).toEqual(['node-0', 'node-3'])
    expect(refused).toEqual([['ERR_CSR_SIGNATURE', 'node-1', 1], ['ERR_ISSUE_REFUSED', 'node-2', 2]])
  })
})

describe('the signal', () => {
  test('begins no other; what is under way is finished and handed out, and the error says how many', async () => {
    const { gated, until, waiting } = gates()
    const stop = new AbortController()
    const found: (string | undefined)[] = []
    let taken = 0
    const requests = (function* () {
      for (let index = 0; index < 10; index++) yield (taken++, gated(index))
    })()
    const running = (async () => {
      for await (const one of issue(requests, { concurrency: 3, signal: stop.signal })) found.push(labelOf(one))
    })()
    await until(3)
    stop.abort('enough')
    for (const index of [0, 1, 2]) waiting.get(index)?.()
    const { detail, cause } = await rejected('ERR_ABORTED', running)
    expect([found, taken, detail.stepsDone, cause]).toEqual([labels(3), 3, 3, 'enough'])
  })

  test('that was given already begins nothing', async () => {
    let asked = 0
    await rejected('ERR_ABORTED', all(issue([node(0, { authorize: () => ++asked > 0 })], { signal: AbortSignal.abort() })))
    expect(asked).toBe(0)
  })
})

/** A source that gives these requests and then waits until it is let go. */
function quiet(requests: readonly Node[]) {
  let letGo = (): void => undefined
  const waiting = new Promise<void>((resolve) => (letGo = resolve))
  const source = (async function* () {
    yield* requests
    await waiting
    yield node(99)
  })()
  return { source, letGo }
}

describe('while the source is quiet', () => {
  test('what is ready is handed out, one by one', async () => {
    const { source, letGo } = quiet(nodes(3))
    const found: (string | undefined)[] = []
    for await (const one of issue(source)) {
      found.push(labelOf(one))
      // It goes on only when all that it gave have been read.
      if (found.length === 3) letGo()
    }
    expect(found).toEqual([...labels(3), 'node-99'])
  })

  test('the signal ends it: what is under way is handed out first, and no certificate is made of what comes later', async () => {
    const { source, letGo } = quiet(nodes(2))
    const stop = new AbortController()
    const found: (string | undefined)[] = []
    const running = (async () => {
      for await (const one of issue(source, { signal: stop.signal })) if (found.push(labelOf(one)) === 2) setImmediate(() => { stop.abort('enough') })
    })()
    const { detail, cause } = await rejected('ERR_ABORTED', running)
    expect([found, detail.stepsDone, cause]).toEqual([labels(2), 2, 'enough'])
    letGo()
    await new Promise(setImmediate)
    expect(found.length).toBe(2)
  })

  test('a signal that cannot call back is seen at the next result', async () => {
    const stop = { aborted: false }
    const found: (string | undefined)[] = []
    const running = (async () => {
      for await (const one of issue(quiet(nodes(3)).source, { signal: stop, concurrency: 1 })) {
        found.push(labelOf(one))
        stop.aborted = true
      }
    })()
    await rejected('ERR_ABORTED', running)
    expect(found).toEqual(['node-0'])
  })

  test('break ends it, however long the source takes to close', async () => {
    const never = { next: () => Promise.resolve({ value: node(0), done: false as const }), return: () => new Promise<never>(() => undefined) }
    for await (const one of issue({ [Symbol.asyncIterator]: () => never })) {
      expect(labelOf(one)).toBe('node-0')
      break
    }
    for await (const one of issue(quiet(nodes(1)).source)) {
      expect(labelOf(one)).toBe('node-0')
      break
    }
  })

  test('nothing is left on the signal', async () => {
    const { signal } = new AbortController()
    const listening = new Set<unknown>()
    const add = signal.addEventListener.bind(signal)
    signal.addEventListener = (...all: Parameters<typeof add>) => { listening.add(all[1]); add(...all) }
    const remove = signal.removeEventListener.bind(signal)
    signal.removeEventListener = (...all: Parameters<typeof remove>) => { listening.delete(all[1]); remove(...all) }
    const during: number[] = []
    for await (const _ of issue(nodes(3), { signal })) during.push(listening.size)
    expect(during).toEqual([1, 1, 1])
    expect(listening.size).toBe(0)
  })
})

test('promises of requests are waited for, as any loop would', async () => {
  expect((await all(issue(nodes(3).map((one) => Promise.resolve(one)) as unknown as readonly Node[]))).map(labelOf)).toEqual(labels(3))
})

test('a source without return is left as it is', async () => {
  let given = 0
  const source = { [Symbol.iterator]: () => ({ next: () => ({ value: node(given++), done: false as const }) }) }
  for await (const one of issue(source)) if (labelOf(one) === 'node-2') break
  expect(given).toBeGreaterThan(2)
})

describe('what is thrown by', () => {
  const failure = new Error('disk full')
  test.each<[string, Options, readonly Node[]]>([
    ['onIssued', { onIssued: () => { throw failure } }, nodes(3)],
    ['onIssued, later', { onIssued: () => new Promise((_, reject) => setImmediate(reject, failure)) }, nodes(3)],
    ['onRefused', { onRefused: () => { throw failure } }, [node(0, { csr: unproved }), node(1)]],
    ['onRefused, later', { onRefused: () => new Promise((_, reject) => setImmediate(reject, failure)) }, [node(0, { csr: unproved }), node(1)]],
    ['authorize', {}, [node(0, { authorize: () => Promise.reject(failure) })]],
  ])('%s reaches who reads', async (_, options, requests) => {
    await expect(all(issue(requests, options))).rejects.toBe(failure)
  })

  test('the source reaches who reads, when what is under way is done', async () => {
    const seen: (string | undefined)[] = []
    const breaking = (function* () {
      yield node(0)
      throw failure
    })()
    await expect(all(issue(breaking, { onIssued: (issued) => seen.push(labelOf(issued)) }))).rejects.toBe(failure)
    expect(seen).toEqual(['node-0'])
  })
})

test('what cannot be iterated over, odd options and the wrong authority are refused at once', async () => {
  for (const [, value] of hostile.filter(([name]) => !['a list', 'words', 'a map', 'a String object'].includes(name))) expect(() => issue(value as never)).toThrow(TypeError)
  expect(() => issue('node' as never)).toThrow(TypeError)
  for (const concurrency of [0, -1, 1.5, 1025, NaN, '4']) expect(() => issue([], { concurrency: concurrency as number })).toThrow(TypeError)
  for (const signal of [null, 7, {}, new AbortController()]) expect(() => issue([], { signal: signal as never })).toThrow(TypeError)
  expect(() => issue([], { onIsued: () => undefined } as never)).toThrow(TypeError)
  const peers = await authority(crypto, 'etcd-peers', ['peer'])
  expect(() => issueClients(peers as unknown as Authority<'client'>, [], { policy, validity })).toThrow('etcd-peers')
})

test('memory does not grow with their number: of what has been read, nothing is held', { timeout: 60_000 }, async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const handed: WeakRef<object>[] = []
  const many = (function* () {
    for (let index = 0; index < 600; index++) yield node(index)
  })()
  for await (const issued of issue(many)) {
    handed.push(new WeakRef(issued))
    if (handed.length % 200 !== 0) continue
    await new Promise(setImmediate)
    collect()
    // The last few may still be on the way.
    expect(handed.filter((one) => one.deref() !== undefined).length).toBeLessThan(40)
  }
  expect(handed.length).toBe(600)
})
