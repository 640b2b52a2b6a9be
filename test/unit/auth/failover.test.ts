/** Several members behind one backend: who is asked when one cannot answer, and what is never sent twice. */
import { describe, expect, test } from 'vitest'
import { EtcdAuth, v3Backend, type V3Transport } from '../../../src/auth/index.js'
import { etcd3Transport } from '../../../src/auth/v3/transport.js'
import { memoryEtcd } from '../../../src/testing/index.js'
import { locked, passwords, policy, rejected } from './doubles.js'

const LEARNER = '14 UNAVAILABLE: etcdserver: rpc not supported for learner'
const REFUSED = '14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED 10.0.0.10:2379'
const NO_LEADER = '14 UNAVAILABLE: etcdserver: no leader'
const LEADER_LOST = '14 UNAVAILABLE: etcdserver: request timed out, possibly due to previous leader failure'
const READS = ['authStatus', 'userList', 'userGet', 'roleList', 'roleGet']

/** Two ways to one store; the first fails with `error`, with or without having done what it was asked. */
function twoMembers(error: string, done: boolean, when: (method: string) => boolean = () => true) {
  const etcd = memoryEtcd({ version: '3.5.30' })
  const sent: [member: number, method: string][] = []
  const through = etcd3Transport(etcd.auth)
  const member = (number: number): V3Transport => ({
    call: async (method, request, options) => {
      sent.push([number, method])
      if (number === 2 || !when(method)) return through.call(method, request, options)
      if (done) await through.call(method, request, options)
      throw new Error(error)
    },
  })
  const auth = new EtcdAuth(v3Backend([member(1), member(2)], { versions: ['3.5.30'] }), { identity: { user: 'root' } })
  return { auth, sent }
}

describe('of two members', () => {
  test.each([
    ['a learner', LEARNER],
    ['not there', REFUSED],
    ['given a rest by its client', 'Execution prevented because the circuit breaker is open'],
  ])('one that is %s is left for the other, for reads and writes alike, and not asked again', async (_, error) => {
    const { auth, sent } = twoMembers(error, false)
    await auth.apply(await auth.plan(policy, locked), { passwords })
    expect((await auth.plan(policy, locked)).outcome).toBe('in sync')
    expect(sent.filter(([number]) => number === 1)).toEqual([[1, 'authStatus']])
  })

  test.each([
    ['has no leader', NO_LEADER],
    ['lost its leader', LEADER_LOST],
    ['broke the connection', '14 UNAVAILABLE: read ECONNRESET'],
  ])('one that %s is left for the other when something is read', async (_, error) => {
    const { auth, sent } = twoMembers(error, false, (method) => READS.includes(method))
    expect((await auth.state()).enabled).toBe(false)
    expect(sent.slice(0, 2)).toEqual([[1, 'authStatus'], [2, 'authStatus']])
  })

  test.each([true, false])('a write that may have been done (it was: %s) is never sent again, and the other one is asked whether it was', async (done) => {
    const { auth, sent } = twoMembers(LEADER_LOST, done, (method) => method === 'roleAdd')
    if (done) expect((await auth.addRole('r')).outcome).toBe('unchanged')
    else expect((await rejected('ERR_SERVER', auth.addRole('r'))).detail.meaning).toBe('unclear')
    expect(sent).toEqual([[1, 'roleGet'], [1, 'roleAdd'], [2, 'roleGet']])
  })

  test.each(['9 FAILED_PRECONDITION: etcdserver: role name already exists', '7 PERMISSION_DENIED: etcdserver: permission denied', '3 INVALID_ARGUMENT: etcdserver: user name is empty'])('what etcd itself says stands: %s', async (error) => {
    const { auth, sent } = twoMembers(error, false)
    await expect(auth.state()).rejects.toBeDefined()
    expect(sent).toEqual([[1, 'authStatus']])
  })

  test('of which none can answer, the last failure is told, and no call goes round for ever', async () => {
    const sent: number[] = []
    const dead = (number: number): V3Transport => ({ call: () => (sent.push(number), Promise.reject(new Error(REFUSED))) })
    const auth = new EtcdAuth(v3Backend([dead(1), dead(2), dead(3)]), { identity: { user: 'root' } })
    await rejected('ERR_UNREACHABLE', auth.state())
    expect(sent).toEqual([1, 2, 3])
  })

  test('of which one has used up the time, nobody else is asked in vain, but the next time', async () => {
    const { auth, sent } = twoMembers('4 DEADLINE_EXCEEDED: Deadline exceeded', false)
    await rejected('ERR_DEADLINE', auth.state())
    expect(sent).toEqual([[1, 'authStatus']])
    await auth.state()
    expect(sent[1]).toEqual([2, 'authStatus'])
  })
})

test('a backend over no client at all is a TypeError', () => {
  expect(() => v3Backend([])).toThrow(TypeError)
})
