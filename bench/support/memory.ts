/** Plan, apply and plan again on the double: how time and memory grow with the users, and that no round leaves anything behind. */
import { EtcdAuth, v3Backend } from 'etcd-rbac'
import { memoryEtcd } from 'etcd-rbac/testing'
import { heapInUse, heapNow, milliseconds } from './figures.js'
import { onlyRoot, type Shape } from './shape.js'

export interface Round {
  readonly plan: number
  readonly apply: number
  readonly again: number
  /** The most that was on the heap, garbage included, above what was there before. */
  readonly peak: number
  /** Bytes in use behind it, when the double and the plans have gone. */
  readonly left: number
}

const EVERY = 64

export async function roundOnDouble({ policy, title }: Shape): Promise<Round> {
  const before = heapInUse()
  let peak = before
  const look = (): void => void (peak = Math.max(peak, heapNow()))
  const times = await (async () => {
    const auth = new EtcdAuth(v3Backend(memoryEtcd({ version: '3.5.30' }).auth), { identity: { user: 'root' } })
    await auth.apply(await auth.plan(onlyRoot, { unmanaged: 'report', enable: true }))
    const options = { unmanaged: 'report', enable: true } as const
    let made: Awaited<ReturnType<typeof auth.plan>> | undefined
    const plan = await milliseconds(async () => (made = await auth.plan(policy, options)))
    look()
    const apply = await milliseconds(() => auth.apply(made!, { onStep: ({ number }) => (number % EVERY === 0 ? look() : undefined) }))
    look()
    const again = await milliseconds(async () => (made = await auth.plan(policy, options)))
    look()
    if (made?.outcome !== 'in sync') throw new Error(`${title}: a second plan is ${made?.outcome}`)
    return { plan, apply, again }
  })()
  return { ...times, peak: peak - before, left: heapInUse() }
}
