/**
 * A client that etcd hears no name of: it comes through the gateway or the gRPC proxy, or shows no certificate where the server asks for none. The
 * policy's answer is that of the double, which was compared with servers.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anonymous, can, definePolicy, indexPolicy, key, read, readwrite } from '../../src/policy/index.js'
import { aroundLease, passed, requestOf, rightless } from '../support/access-requests.js'
import { outcomeOf, senderOf } from '../support/differential.js'
import { bytes, locked, versions } from '../support/double.js'

const policy = definePolicy({
  users: { root: 'certificate', alice: 'certificate' },
  v3: { roles: { r: [readwrite(key('\0')), read(key('\x01'))] }, bindings: { root: ['root'], alice: ['r'] } },
})
const index = indexPolicy(policy)

test.each(versions)('a client without any name is answered by the policy as by etcd %s', { timeout: 60_000 }, async (version) => {
  const double = await locked(version, [
    { permType: 'Readwrite', key: bytes('\0'), range_end: bytes('') },
    { permType: 'Read', key: bytes('\x01'), range_end: bytes('') },
  ])
  const [root, nameless] = [senderOf(double.as('root'), false), senderOf(double.anonymous(), false)]
  const tally = { allowed: 0, refused: 0, hollow: 0 }
  await fc.assert(
    fc.asyncProperty(rightless(['root', 'alice', 'none'], ['root', 'r', 'none']), async (operation) => {
      const { before, after } = aroundLease(operation)
      for (const request of before) await outcomeOf(() => root.send(request))
      const answer = passed(await outcomeOf(() => nameless.send(requestOf('nobody', operation))))
      for (const request of after) await outcomeOf(() => root.send(request))
      if (answer === undefined) return
      tally[answer ? 'allowed' : 'refused']++
      if (answer && operation.op === 'txn') tally.hollow++
      for (const via of ['gateway', 'grpc-proxy'] as const) expect([via, can(index, anonymous, operation, { etcd: version, via })]).toEqual([via, answer])
      // So is a certificate user, whose Common Name gets lost on the way.
      expect(can(index, 'alice', operation, { etcd: version, via: 'grpc-proxy' })).toBe(answer)
      // `anonymous` stands for every client that no user names, this one too.
      if (answer) expect(can(index, anonymous, operation, { etcd: version })).toBe(true)
    }),
    { numRuns: 1_000 },
  )
  expect(tally.refused).toBeGreaterThan(100)
  expect(tally.hollow).toBeGreaterThan(20)
})
