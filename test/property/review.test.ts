/** Laws of upgrades: what is named is real, and nothing that changes is left out. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anonymous, can, definePolicy, indexPolicy, type Operation, type Policy } from '../../src/policy/index.js'
import { upgradeCheck, type OperationClass } from '../../src/review/index.js'
import { keyRange, permission, smallKey } from '../support/arbitrary.js'
import { smallOperation } from '../support/operations.js'

const permissions = fc.array(permission(keyRange(smallKey)), { maxLength: 3 })
const policies: fc.Arbitrary<Policy> = fc.tuple(permissions, permissions, fc.boolean()).map(([a, b, root]) =>
  definePolicy({ users: { alice: 'certificate', bob: 'password' }, v3: { roles: { node: a, audit: b }, bindings: { alice: ['node'], bob: root ? ['audit', 'root'] : ['node', 'audit'] } } }),
)
const versions = fc.constantFrom('3.3.25', '3.4.23', '3.4.26', '3.4.42', '3.4.44', '3.5.7', '3.5.16', '3.5.28', '3.5.30', '3.5.32', '3.5.33', '3.6.8', '3.6.9', '3.6.11', '3.6.13', '3.6.14', '3.7.0', '3.7.3')

/** The kinds that an operation may be one of. */
function kindsOf(operation: Operation): readonly OperationClass[] {
  switch (operation.op) {
    case 'watch':
      return ['open-ended watch']
    case 'txn':
      return ['transaction inside a transaction', 'previous value from a put in a transaction', 'lease of others in a transaction']
    case 'leaseKeepAlive':
      return ['keep a lease alive', 'lease calls']
    case 'leaseKeys':
      return ['keys of a lease', 'lease calls']
    case 'leaseLeases':
      return ['list of leases', 'lease calls']
    case 'leaseGrant':
    case 'leaseRevoke':
    case 'leaseTimeToLive':
      return ['lease calls']
    case 'call': {
      const kinds: Partial<Record<string, OperationClass>> = { compact: 'Compact', status: 'Status', authStatus: 'AuthStatus', memberList: 'MemberList', alarmList: 'alarms', alarmDeactivate: 'clear alarms', moveLeader: 'MoveLeader', downgrade: 'Downgrade' }
      return [kinds[operation.call] ?? []].flat()
    }
    case 'get':
    case 'put':
    case 'del':
      return []
  }
}

test('whatever two releases answer differently is of a kind that is named for its user, and in that direction', { timeout: 60_000 }, () => {
  let changed = 0
  fc.assert(
    fc.property(policies, versions, versions, fc.array(smallOperation, { minLength: 1, maxLength: 20 }), (policy, from, to, operations) => {
      const { effects } = upgradeCheck(policy, from, to)
      const index = indexPolicy(policy)
      for (const user of ['alice', 'bob', anonymous] as const)
        for (const via of user === anonymous ? ([undefined, 'grpc-proxy'] as const) : ([undefined] as const))
          for (const operation of operations) {
            const circumstances = via === undefined ? {} : { via }
            const [was, is] = [can<Policy>(index, user, operation, { ...circumstances, etcd: from }), can<Policy>(index, user, operation, { ...circumstances, etcd: to })]
            if (was === is) continue
            changed++
            const named = effects.filter(({ effect, who }) => effect === (was ? 'loses' : 'gains') && who.some((one) => one.user === user && one.circumstances.via === via)).map(({ kind }) => kind)
            expect(named.some((kind) => (kindsOf(operation) as readonly string[]).includes(kind))).toBe(true)
          }
    }),
    { numRuns: 400 },
  )
  // A law about changes that never sees one proves nothing.
  expect(changed).toBeGreaterThan(100)
})

test('whatever is named is shown by an operation that the two releases answer differently', () => {
  fc.assert(
    fc.property(policies, versions, versions, (policy, from, to) => {
      for (const { effect, who } of upgradeCheck(policy, from, to).effects)
        for (const { user, operation, circumstances } of who) {
          if (operation === undefined) continue
          expect(can<Policy>(policy, user, operation, { ...circumstances, etcd: from })).toBe(effect === 'loses')
          expect(can<Policy>(policy, user, operation, { ...circumstances, etcd: to })).toBe(effect === 'gains')
        }
    }),
  )
})
