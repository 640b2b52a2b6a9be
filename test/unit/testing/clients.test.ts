/** The double behind etcd3's shape: who its clients are, what goes over the wire, which errors come back. */
import * as etcd3 from 'etcd3'
import { describe, expect, test } from 'vitest'
import { manualClock, memoryEtcd } from '../../../src/testing/index.js'
import { answerOf, bytes, locked, perm, settled } from '../../support/double.js'

const denied = '7 PERMISSION_DENIED: etcdserver: permission denied'
const noName = '3 INVALID_ARGUMENT: etcdserver: user name is empty'

describe('a client', () => {
  test('acts as the name in its certificate', async () => {
    const etcd = await locked('3.5.30', [perm('Read', 'k')])
    const read = (client: Pick<typeof etcd, 'kv'>): Promise<string> => answerOf(client.kv.range({ key: bytes('k') }))
    expect(await read(etcd)).toBe('ok')
    expect(await read(etcd.as('alice'))).toBe('ok')
    expect(await read(etcd.as('Alice'))).toBe(denied)
    expect(await read(etcd.as('alice').as('stranger'))).toBe(denied)
    expect(await read(etcd.as(undefined))).toBe(denied)
    expect(await read(etcd.anonymous())).toBe(noName)
    expect(await read(etcd.anonymous().as('alice'))).toBe('ok')
  })

  test('acts as root unless told otherwise', async () => {
    expect(memoryEtcd({ version: '3.5.30' }).calls).toEqual([])
    const etcd = memoryEtcd({ version: '3.5.30', identity: 'alice' })
    await etcd.auth.roleList()
    expect(etcd.calls[0]?.commonName).toBe('alice')
  })

  test('with a token acts as whose it is, certificate or not', async () => {
    const etcd = await locked('3.5.30', [perm('Read', 'k')])
    const { token } = await etcd.auth.authenticate({ name: 'alice', password: 'secret' })
    expect(await answerOf(etcd.withToken(token).auth.userList())).toBe(denied)
    expect(await answerOf(etcd.anonymous().withToken(token).kv.range({ key: bytes('k') }))).toBe('ok')
    expect(await answerOf(etcd.withToken('none').auth.userList())).toBe('16 UNAUTHENTICATED: etcdserver: invalid auth token')
  })

  test('a token ends 300 seconds after its last use, with its password and with its user', async () => {
    const clock = manualClock(new Date(0))
    const etcd = memoryEtcd({ version: '3.5.30', clock })
    await etcd.auth.userAdd({ name: 'root', password: 'x' })
    await etcd.auth.userGrantRole({ user: 'root', role: 'root' })
    await etcd.auth.authEnable()
    const login = async (): Promise<() => Promise<string>> => {
      const { token } = await etcd.auth.authenticate({ name: 'root', password: 'x' })
      return () => answerOf(etcd.anonymous().withToken(token).auth.roleList())
    }
    const use = await login()
    clock.advance(300_000)
    expect(await use()).toBe('ok')
    clock.advance(300_000)
    expect(await use()).toBe('ok')
    clock.advance(300_001)
    expect(await use()).toBe('16 UNAUTHENTICATED: etcdserver: invalid auth token')
    const other = await login()
    await etcd.auth.userChangePassword({ name: 'root', password: 'x' })
    expect(await other()).toBe('16 UNAUTHENTICATED: etcdserver: invalid auth token')
  })

  test('with a password logs in before its first call, and again when its token is gone', async () => {
    const etcd = await locked('3.5.30', [perm('Read', 'k')])
    const alice = etcd.anonymous().withPassword('alice', 'secret')
    const read = (): Promise<string> => answerOf(alice.kv.range({ key: bytes('k') }))
    expect(await read()).toBe('ok')
    await etcd.auth.userChangePassword({ name: 'alice', password: 'secret' })
    expect(await read()).toBe('ok')
    await etcd.auth.userChangePassword({ name: 'alice', password: 'other' })
    expect(await read()).toMatch(/^3 INVALID_ARGUMENT: etcdserver: authentication failed/)
  })
})

describe('replies', () => {
  test('are copies: changing one does not change the store', async () => {
    const etcd = await locked('3.5.30', [perm('Read', 'k')])
    const { perm: permissions } = await etcd.auth.roleGet({ role: 'r' })
    permissions[0]!.key[0] = 0
    permissions.length = 0
    const { roles } = await etcd.auth.userGet({ name: 'alice' })
    roles.length = 0
    expect((await etcd.auth.roleGet({ role: 'r' })).perm.map(({ key }) => Buffer.from(key).toString())).toEqual(['k'])
    expect((await etcd.auth.userGet({ name: 'alice' })).roles).toEqual(['r'])
  })

  test('have numbers of 64 bits as text, and null for an absent key', async () => {
    const { kv } = memoryEtcd({ version: '3.5.30' })
    expect(await kv.put({ key: bytes('k'), prev_kv: true })).toMatchObject({ header: { revision: '2' }, prev_kv: null })
    expect(await kv.range({ key: bytes('k') })).toMatchObject({ count: '1', more: false, kvs: [{ version: '1', lease: '0' }] })
  })
})

describe('errors are etcd3’s', () => {
  const cases: readonly (readonly [className: keyof typeof etcd3, call: (etcd: Awaited<ReturnType<typeof locked>>) => Promise<unknown>])[] = [
    ['EtcdUserExistsError', ({ auth }) => auth.userAdd({ name: 'alice', password: 'x' })],
    ['EtcdRoleExistsError', ({ auth }) => auth.roleAdd({ name: 'r' })],
    ['EtcdUserNotFoundError', ({ auth }) => auth.userGet({ name: 'nobody' })],
    ['EtcdRoleNotFoundError', ({ auth }) => auth.roleGet({ role: 'none' })],
    ['EtcdRoleNotGrantedError', ({ auth }) => auth.userRevokeRole({ name: 'root', role: 'r' })],
    ['EtcdPermissionDeniedError', (etcd) => etcd.as('alice').auth.userList()],
    ['EtcdAuthenticationFailedError', ({ auth }) => auth.authenticate({ name: 'alice', password: 'wrong' })],
    ['EtcdInvalidAuthTokenError', (etcd) => etcd.withToken('none').auth.userList()],
    ['EtcdLeaseInvalidError', ({ kv }) => kv.put({ key: bytes('k'), lease: 7 })],
    ['GRPCInvalidArgumentError', ({ kv }) => kv.range({})],
    ['GRPCFailedPreconditionError', ({ auth }) => auth.roleRevokePermission({ role: 'r', key: bytes('none') })],
    ['GRPCOutOfRangeError', ({ kv }) => kv.range({ key: bytes('k'), revision: 99 })],
    ['GRPCUnknownError', ({ auth }) => auth.userAdd({ name: 'long', password: 'x'.repeat(73) })],
    ['GRPCUnavailableError', (etcd) => (etcd.faults.failBefore(1), etcd.auth.roleList())],
    ['GRPCDeadlineExceededError', ({ auth }) => auth.roleList({ deadline: -1 })],
  ]

  test.each(cases)('%s', async (className, call) => {
    const plain = await call(await locked('3.5.30')).catch((error: unknown) => error)
    expect(plain).toBeInstanceOf(Error)
    expect((plain as Error).constructor.name).toBe(className)
    expect((plain as Error).name).toBe('Error')
  })

  test.each(cases)('%s itself, where the classes are given', async (className, call) => {
    const etcd = memoryEtcd({ version: '3.5.30', errors: etcd3 })
    for (const name of ['root', 'alice']) await etcd.auth.userAdd({ name, password: 'x' })
    await etcd.auth.userGrantRole({ user: 'root', role: 'root' })
    await etcd.auth.roleAdd({ name: 'r' })
    await etcd.auth.authEnable()
    await expect(call(etcd)).rejects.toBeInstanceOf(etcd3[className])
  })

  test('those of a broken connection are recoverable to etcd3, refusals are not', async () => {
    const etcd = memoryEtcd({ version: '3.5.30', errors: etcd3 })
    etcd.faults.failBefore(1)
    const lost = await etcd.auth.roleList().catch((error: unknown) => error)
    const refused = await etcd.auth.roleGet({ role: 'none' }).catch((error: unknown) => error)
    expect([etcd3.isRecoverableError(lost as Error), etcd3.isRecoverableError(refused as Error)]).toEqual([true, false])
  })
})

test.each(['3.2.0', '4.0.0', 'latest', ''])('version %j is refused', (version) => {
  expect(() => memoryEtcd({ version })).toThrow(expect.objectContaining({ code: 'ERR_VERSION_UNSUPPORTED' }))
})

describe('nothing is left behind', () => {
  /** A clock that tells how many timers it has. */
  const counted = () => {
    const clock = manualClock(new Date(0))
    let timers = 0
    return {
      timers: () => timers,
      advance: (milliseconds: number) => clock.advance(milliseconds),
      now: () => clock.now(),
      after: (milliseconds: number, run: () => void) => {
        timers++
        let isSet = true
        const unset = (): void => {
          if (isSet) timers--
          isSet = false
        }
        const cancel = clock.after(milliseconds, () => {
          unset()
          run()
        })
        return () => {
          unset()
          cancel()
        }
      },
    }
  }

  test('by calls with a deadline, by leases and by streams: no timer', async () => {
    const clock = counted()
    const etcd = memoryEtcd({ version: '3.5.30', clock })
    for (let at = 0; at < 10; at++) await etcd.kv.put({ key: bytes('k') }, { deadline: 8000 })
    const { ID } = await etcd.leaseClient.leaseGrant({ TTL: 10 })
    expect(clock.timers()).toBe(0)
    const stream = await etcd.watchClient.watch({ deadline: 60_000 })
    expect(clock.timers()).toBe(2)
    const keeping = await etcd.leaseClient.leaseKeepAlive()
    for (let at = 0; at < 10; at++) keeping.write({ ID })
    keeping.end()
    await settled()
    expect(clock.timers()).toBe(2)
    stream.cancel()
    expect(clock.timers()).toBe(0)
    const other = await etcd.watchClient.watch()
    expect(clock.timers()).toBe(1)
    await etcd.leaseClient.leaseRevoke({ ID })
    expect(clock.timers()).toBe(0)
    other.cancel()
  })

  test('by requests with a signal: no listener', async () => {
    const { fetch } = memoryEtcd({ version: '3.5.30', v2: true })
    const stop = new AbortController()
    let listeners = 0
    const signal = {
      aborted: false,
      addEventListener: (type: 'abort', run: () => void) => {
        listeners++
        stop.signal.addEventListener(type, run)
      },
      removeEventListener: (type: 'abort', run: () => void) => {
        listeners--
        stop.signal.removeEventListener(type, run)
      },
    }
    for (let at = 0; at < 10; at++) await (await fetch('https://etcd.invalid:2379/v2/keys/k', { method: 'GET', redirect: 'manual', signal })).text()
    expect(listeners).toBe(0)
    const waiting = await fetch('https://etcd.invalid:2379/v2/keys/k?wait=true', { method: 'GET', redirect: 'manual', signal })
    expect(listeners).toBe(1)
    await fetch('https://etcd.invalid:2379/v2/keys/k', { method: 'PUT', redirect: 'manual', body: 'value=1' })
    await waiting.text()
    expect(listeners).toBe(0)
  })

  test('a timer that moves the clock moves it for good', () => {
    const clock = manualClock(new Date(0))
    clock.after(500, () => clock.advance(1000))
    clock.advance(600)
    expect(clock.now().getTime()).toBe(1500)
  })
})
