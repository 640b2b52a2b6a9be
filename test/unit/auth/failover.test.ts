/** Several members behind one backend: who is asked when one cannot answer, and what is never sent twice. */
import { describe, expect, test } from 'vitest'
import { EtcdAuth, v3Backend, type FetchLike, type MaintenanceClient, type V3BackendOptions, type V3Transport } from '../../../src/auth/index.js'
import { etcd3Transport } from '../../../src/auth/v3/transport.js'
import { manualClock, memoryEtcd } from '../../../src/testing/index.js'
import { settled } from '../../support/double.js'
import { locked, passwords, policy, rejected } from './doubles.js'

const LEARNER = '14 UNAVAILABLE: etcdserver: rpc not supported for learner'
const REFUSED = '14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED 10.0.0.10:2379'
const NO_LEADER = '14 UNAVAILABLE: etcdserver: no leader'
const AT_REST = 'Execution prevented because the circuit breaker is open'
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
    ['a learner of another release', '9 FAILED_PRECONDITION: etcdserver: rpc not supported for learner'],
    ['not there', REFUSED],
    ['given a rest by its client', AT_REST],
  ])('one that is %s is left for the other when something is read, and not asked again, so that writes go to the other too', async (_, error) => {
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

  // Also where the words are those of a request that never began: etcd3 repeats by itself, and an attempt before the last one may have been done.
  describe.each([LEADER_LOST, NO_LEADER, REFUSED, LEARNER, AT_REST])('a write that fails with %j', (error) => {
    test.each([true, false])('is never sent again (it was done: %s), and the other one is asked whether it was', async (done) => {
      const { auth, sent } = twoMembers(error, done, (method) => method === 'roleAdd')
      if (done) expect((await auth.addRole('r')).outcome).toBe('unchanged')
      else await expect(auth.addRole('r')).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_(SERVER|UNREACHABLE)$/) as string })
      expect(sent).toEqual([[1, 'roleGet'], [1, 'roleAdd'], [2, 'roleGet']])
      // What is written next goes where the answer came from.
      await auth.addRole('s')
      expect(sent.slice(3)).toEqual([[2, 'roleGet'], [2, 'roleAdd']])
    })
  })

  test('a log-in, which changes nothing, is asked of the other as a read is', async () => {
    const sent: [number, string][] = []
    const old = memoryEtcd({ version: '3.4.23' })
    const member = (number: number): V3Transport => ({
      call: (method, request, options) => {
        sent.push([number, method])
        return number === 1 && method === 'authenticate' ? Promise.reject(new Error(REFUSED)) : etcd3Transport(old.auth).call(method, request, options)
      },
    })
    expect((await new EtcdAuth(v3Backend([member(1), member(2)], { versions: ['3.4.23'] }), { identity: { user: 'root' } }).state()).enabled).toBe(false)
    expect(sent.slice(0, 3)).toEqual([[1, 'authStatus'], [1, 'authenticate'], [2, 'authenticate']])
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

describe('of two members, the first of which hangs', () => {
  /** `when` it hangs, it does what it is asked or does not, and never says so. */
  function hanging(done: boolean, when: (method: string) => boolean) {
    const clock = manualClock(new Date('2026-01-01T00:00:00Z'))
    const etcd = memoryEtcd({ version: '3.5.30', clock })
    const through = etcd3Transport(etcd.auth)
    const sent: [member: number, method: string][] = []
    const member = (number: number): V3Transport => ({
      call: async (method, request, options) => {
        sent.push([number, method])
        if (number === 2 || !when(method)) return through.call(method, request, options)
        if (done) await through.call(method, request, options)
        return new Promise(() => undefined)
      },
    })
    const auth = new EtcdAuth(v3Backend([member(1), member(2)], { versions: ['3.5.30'], crypto }), { identity: { user: 'root' }, clock, deadlineMilliseconds: 500 })
    /** Lets the time pass that one request has, once it waits. */
    const pass = async (): Promise<void> => {
      await settled()
      clock.advance(500)
    }
    return { auth, sent, pass }
  }

  test('the next read goes to the other, though the first never settles', async () => {
    const { auth, sent, pass } = hanging(false, () => true)
    const state = auth.state()
    await pass()
    await rejected('ERR_DEADLINE', state)
    expect((await auth.state()).enabled).toBe(false)
    expect(sent.slice(0, 2)).toEqual([[1, 'authStatus'], [2, 'authStatus']])
    expect(sent.filter(([number]) => number === 1)).toHaveLength(1)
  })

  test('many reads that hang at once leave it once, and not the other one too', async () => {
    const { auth, sent, pass } = hanging(false, (method) => method === 'userGet')
    const reading = Promise.allSettled(['a', 'b', 'c'].map((name) => auth.addUser(name, { login: 'certificate' })))
    await pass()
    expect((await reading).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect((await auth.addUser('a', { login: 'certificate' })).outcome).toBe('created')
    expect(sent.filter(([, method]) => method === 'userGet').map(([number]) => number)).toEqual([1, 1, 1, 2])
  })

  test.each([true, false])('a write that hung there is looked for at the other (it was done: %s)', async (done) => {
    const { auth, sent, pass } = hanging(done, (method) => method === 'roleAdd')
    const adding = auth.addRole('r')
    await pass()
    if (done) expect((await adding).outcome).toBe('unchanged')
    else await rejected('ERR_DEADLINE', adding)
    expect(sent).toEqual([[1, 'roleGet'], [1, 'roleAdd'], [2, 'roleGet']])
  })

  test.each([
    ['apply', async (auth: EtcdAuth) => (await auth.apply(await auth.plan(policy, locked))).steps.map(({ outcome }) => outcome), ['found']],
    ['enable', async (auth: EtcdAuth) => (await auth.enable()).outcome, 'changed'],
  ] as const)('enabling by %s that hung there is found at the other, and root is proved there', async (_, enable, outcome) => {
    const { auth, sent, pass } = hanging(true, (method) => method === 'authEnable')
    await auth.apply(await auth.plan(policy, { ...locked, enable: false }), { passwords })
    const enabling = enable(auth)
    await pass()
    expect(await enabling).toEqual(outcome)
    const at = sent.findIndex(([, method]) => method === 'authEnable')
    expect(sent.slice(at, at + 3)).toEqual([[1, 'authEnable'], [2, 'authStatus'], [2, 'userList']])
  })

  test('what fails there after the deadline is not asked of the other any more', async () => {
    const clock = manualClock(new Date('2026-01-01T00:00:00Z'))
    const sent: number[] = []
    let fail = (): void => undefined
    const hung = new Promise<never>((_, reject) => {
      fail = () => reject(new Error(REFUSED))
    })
    const first: V3Transport = { call: () => (sent.push(1), hung) }
    const second: V3Transport = { call: () => (sent.push(2), Promise.reject(new Error(REFUSED))) }
    const auth = new EtcdAuth(v3Backend([first, second]), { identity: { user: 'root' }, clock, deadlineMilliseconds: 500 })
    const state = auth.state()
    await settled()
    clock.advance(500)
    await rejected('ERR_DEADLINE', state)
    fail()
    await settled()
    expect(sent).toEqual([1])
  })
})

describe('of the versions of several members', () => {
  const says = (version: string): MaintenanceClient => ({ status: () => Promise.resolve({ version }) })
  const dead: MaintenanceClient = { status: () => Promise.reject(new Error(REFUSED)) }
  const versionOf = async (maintenance: NonNullable<V3BackendOptions['maintenance']>) => (await new EtcdAuth(v3Backend(memoryEtcd({ version: '3.5.30' }).auth, { maintenance }), { identity: { user: 'root' } }).state()).version

  test('the lowest of those that answer counts', async () => {
    expect(await versionOf([says('3.5.30'), says('3.4.23'), dead])).toBe('3.4.23')
    expect(await versionOf([dead, says('3.5.30')])).toBe('3.5.30')
  })

  test('a failure is told where none answers, and an unknown release where one has it', async () => {
    await rejected('ERR_UNREACHABLE', versionOf([dead, dead]))
    await rejected('ERR_VERSION_UNSUPPORTED', versionOf([says('3.5.30'), says('3.8.0')]))
  })

  test('members that may be older than 3.4 beside those that answer are still reckoned with', async () => {
    const { auth } = memoryEtcd({ version: '3.4.23' })
    const plan = await new EtcdAuth(v3Backend(auth, { maintenance: [says('3.4.23'), dead] }), { identity: { user: 'root' } }).plan(policy, locked)
    expect(plan.blockers.join()).toMatch(/crypto.*versions.*all members/)
  })
})

describe('a backend over what is no client, or with options that nobody reads, is a TypeError at once', () => {
  const { auth } = memoryEtcd({ version: '3.5.30' })
  test.each([
    ['no client at all', [], 'a client, or a list of at least one'],
    ['undefined', undefined, "etcd3's `auth`"],
    ['a list of null', [null], "etcd3's `auth`"],
    ['a whole etcd3 client', { auth }, "etcd3's `auth`"],
    ['a text', 'https://10.0.0.10:2379', "etcd3's `auth`"],
    ['a call that is no function', { call: 1 }, "etcd3's `auth`"],
  ])('%s', (_, client, words) => {
    expect(() => v3Backend(client as never)).toThrow(TypeError)
    expect(() => v3Backend(client as never)).toThrow(words)
  })

  const fetch: FetchLike = () => Promise.reject(new Error('not asked'))
  test.each([
    ['null', null, 'must be a table'],
    ['a misspelt field', { version: ['3.5.30'] }, '"version"'],
    ['versions that are no list', { versions: '3.5.30' }, 'versions must be a list'],
    ['maintenance without status', { maintenance: {} }, 'method status'],
    ['maintenance of nobody', { maintenance: [undefined] }, 'method status'],
    ['a v2 without fetch', { v2: { endpoints: ['https://a:1'] } }, 'v2.fetch'],
    ['a v2 with one endpoint', { v2: { fetch, endpoint: 'https://a:1' } }, '"endpoint"'],
    ['a v2 without endpoints', { v2: { fetch, endpoints: [] } }, 'at least one URL'],
    ['a v2 whose endpoints are a text', { v2: { fetch, endpoints: 'https://a:1' } }, 'at least one URL'],
    ['a v2 with an endpoint that is no URL', { v2: { fetch, endpoints: ['a:1'] } }, 'at least one URL'],
  ])('%s', (_, options, words) => {
    expect(() => v3Backend(auth, options as never)).toThrow(TypeError)
    expect(() => v3Backend(auth, options as never)).toThrow(words)
  })

  test('fields that are undefined are left away', async () => {
    expect((await new EtcdAuth(v3Backend(auth, { versions: undefined, maintenance: undefined, crypto: undefined, v2: undefined } as never), { identity: { user: 'root' } }).state()).version).toBe('3.5')
  })
})
