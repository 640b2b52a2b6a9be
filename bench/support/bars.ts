/** What is asked of the figures. */
import { median, megabytes } from './figures.js'
import type { Measured } from './rows.js'
import type { ShapeName } from './shape.js'

export interface Bar {
  readonly what: string
  readonly found: string
  readonly wanted: string
  readonly met: boolean
}

const FASTER: Readonly<Record<ShapeName, { readonly thanTenants: number; readonly thanEtcdctl: number }>> = {
  shared: { thanTenants: 1.8, thanEtcdctl: 12 },
  own: { thanTenants: 2.3, thanEtcdctl: 20 },
}
const READS_WITHIN = 1.5
const READS: readonly string[] = ['authStatus', 'userList', 'userGet', 'roleList', 'roleGet']
/** What the engine itself keeps more or less of, from one round to the next. */
const FLAT_WITHIN = 2 * 2 ** 20

export const ratio = (slower: readonly number[], faster: readonly number[]): number => median(slower) / median(faster)
export const times = (value: number): string => `${value.toFixed(2)}x`

export function barsOf({ lane, shape, picked, apply, tenants, permissions, bindings, loop, state, bare, second, heap }: Measured): readonly Bar[] {
  const where = `etcd ${lane.version}, ${shape.title}`
  const { thanTenants, thanEtcdctl } = FASTER[shape.name]
  const atLeast = (what: string, found: number, bar: number): Bar => ({ what: `${where}: ${what}`, found: times(found), wanted: `at least ${bar}x`, met: found >= bar })
  const [ours, other] = picked === 'bindings' ? [bindings, permissions] : [permissions, bindings]
  const reads = ratio(state, bare)
  const writes = Object.keys(second).filter((method) => !READS.includes(method))
  return [
    {
      what: `${where}: the planner picks the faster order, ${picked} first`,
      found: `the other takes ${times(ratio(other, ours))} by bare RPCs, ${times(ratio(other, apply))} of plan and apply`,
      wanted: 'above 1x by bare RPCs',
      met: ratio(other, ours) > 1,
    },
    atLeast('faster than per-tenant order', ratio(tenants, apply), thanTenants),
    ...(loop.length === 0 ? [] : [atLeast('faster than etcdctl in a loop', ratio(loop.map(({ milliseconds }) => milliseconds), apply), thanEtcdctl)]),
    { what: `${where}: reads of state beside the bare RPCs`, found: times(reads), wanted: `within ${READS_WITHIN}x`, met: reads <= READS_WITHIN },
    { what: `${where}: a second plan reads only`, found: writes.length === 0 ? 'no write' : writes.join(), wanted: 'no write', met: writes.length === 0 },
    ...(heap.length < 2 ? [] : [flat(where, heap)]),
  ]
}

/** Whether what is in use after the last round is what was after the first. */
export function flat(where: string, inUse: readonly number[]): Bar {
  const growth = inUse.at(-1)! - inUse[0]!
  return { what: `${where}: memory in use after the last of ${inUse.length} rounds`, found: `${growth < 0 ? '' : '+'}${megabytes(growth)} MB`, wanted: `within ${megabytes(FLAT_WITHIN)} MB of the first`, met: growth <= FLAT_WITHIN }
}
