/** Copies of one permission, which etcd appends where a grant is repeated beside another permission of the same start key. */
import { describe, expect, test } from 'vitest'
import { key, prefix, read, readwrite, type Permission } from '../../../src/keys/index.js'
import { definePolicy, type Policy } from '../../../src/policy/index.js'
import { double } from './doubles.js'

describe('a client that repeats every write, as etcd3 does by default after a lost answer', () => {
  /** Beside a permission with the same start key etcd appends what is repeated: the very same twice. */
  const granting = (...more: readonly Permission[]): Policy => definePolicy({ users: { root: 'certificate', app: 'certificate' }, v3: { roles: { r: [read(key('/a/')), ...more] }, bindings: { root: ['root'], app: ['r'] } } } as never)
  const [none, readable, all] = [granting(), granting(read(prefix('/a/'))), granting(readwrite(prefix('/a/')))]

  test.each(['3.3.25', '3.4.23', '3.5.35', '3.6.16', '3.7.3'])('comes to an end on %s, without a gap where nothing changes, and takes all copies away', async (version) => {
    const { auth, etcd } = double('v3', version)
    const options = { unmanaged: 'report', enable: true, acknowledgePasswordsInLog: true, acknowledgeOpenV2: true } as const
    await auth().apply(await auth().plan(none, options))
    type Rpc = (...given: readonly unknown[]) => Promise<unknown>
    const twice = (call: Rpc): Rpc => async (...given) => (await call(...given), call(...given))
    const repeated = Object.fromEntries(Object.entries(etcd.auth).map(([method, call]) => [method, /Grant|Revoke/.test(method) ? twice(call as Rpc) : call])) as unknown as typeof etcd.auth
    const repeating = { ...etcd, auth: repeated }
    const stored = async (): Promise<number> => (await auth().state()).roles['r']?.length ?? 0
    const gaps: number[] = []
    const copies: number[] = []
    for (const next of [all, all, readable, none]) {
      const plan = await auth().plan(next, options)
      gaps.push(plan.gaps.length)
      await auth({}, repeating).apply(plan)
      copies.push(await stored())
      expect((await auth().plan(next, options)).outcome).toBe('in sync')
    }
    // Only where a type changes that stands beside others, etcd knows no other way than a revoke before the grant.
    expect([gaps, copies]).toEqual([[0, 0, 1, 0], [3, 3, 3, 1]])
  })
})
