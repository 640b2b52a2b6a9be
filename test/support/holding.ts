/** The double of an etcd whose user alice holds what a preset says. */
import { toWire } from '../../src/keys/interval.js'
import type { KeyRange, Permission } from '../../src/keys/index.js'
import type { MemoryEtcd } from '../../src/testing/index.js'
import { locked } from './double.js'

const TYPES = { read: 'Read', write: 'Write', readwrite: 'Readwrite' } as const

/** Root's client of it; alice's is `as('alice')`. */
export function holding(version: string, permissions: readonly Permission<KeyRange>[]): Promise<MemoryEtcd> {
  return locked(version, permissions.map(({ type, keys }) => {
    const { key, rangeEnd } = toWire(keys)
    return { permType: TYPES[type], key: Buffer.from(key), range_end: Buffer.from(rangeEnd) }
  }))
}
