/** etcd judges who somebody is: the Common Name of a certificate that we issued is the user, and nothing else of it is. */
import { Etcd3 } from 'etcd3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EtcdAuth, etcd3Options } from '../../src/auth/index.js'
import { createCa, createCsr, generateKeyPair, issueClient, type Authority, type KeyAlgorithm, type Validity } from '../../src/pki/index.js'
import { anonymous, del, get, parsePolicy, path, pattern, prefix, put, readwrite, watch, type KeyOperation } from '../../src/policy/index.js'
import { attemptV2, attemptV3, v3Client } from '../../examples/support/attempt.js'
import { httpsFetch } from '../../examples/support/https-fetch.js'
import { startCluster, testLanes, type Cluster } from '../support/cluster.js'
import type { Keyed } from '../support/material.js'

const { crypto } = globalThis
const FELIX = '/calico/felix/v1/'

/** Names that a policy may have and that something on the way could stumble over, among them the longest in characters and in bytes. */
const odd = ['naïve ✓', 'two words', 'x'.repeat(64), '✓'.repeat(64), '😀', '10', 'constructor', 'ALICE', 'alice.', '-', '%2F..', 'a+b&c=d?e#f', `o'brien "q", <x>; \\y`] as const
const users = ['alice', 'bob', ...odd]
const keysOf = (user: string): string => `/of/${String(users.indexOf(user))}/`
const roleOf = (user: string): string => `own-${String(users.indexOf(user))}`

const each = <T>(value: (user: string) => T, name: (user: string) => string = (user) => user): Record<string, T> => Object.fromEntries(users.map((user) => [name(user), value(user)]))
const bindings = { root: ['root'], 'calico-node': ['felix'], ...each((user) => [roleOf(user)]) }
const policy = parsePolicy({
  users: { root: 'certificate', 'calico-node': 'certificate', ...each(() => 'certificate') },
  members: ['etcd-0'],
  authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'],
  v3: { roles: { felix: [readwrite(prefix(FELIX))], ...each((user) => [readwrite(prefix(keysOf(user)))], roleOf) }, bindings },
  v2: { guest: [], roles: { felix: [readwrite(pattern(`${FELIX}*`))], ...each((user) => [readwrite(pattern(`${keysOf(user)}*`))], roleOf) }, bindings },
})

type Table = readonly (readonly [operation: KeyOperation, allowed: boolean])[]

/** What a user may do that has the prefix `own` and nothing else. */
const rights: Readonly<Record<'v3' | 'v2', (own: string) => Table>> = {
  v3: (own) => [
    [put(`${own}x`), true],
    [get(`${own}x`), true],
    [get(own), true],
    [get(prefix(own)), true],
    [watch(prefix(own)), true],
    [del(`${own}none`), true],
    [get(own.slice(0, -1)), false],
    [put(own.slice(0, -1)), false],
    [get(`${own.slice(0, -1)}0`), false],
    [put(`${own.slice(0, -1)}0`), false],
    [get('/registry/pods/x'), false],
    [put('/registry/pods/x'), false],
    [get(prefix('/registry/')), false],
    [del(prefix('/registry/none/')), false],
    [watch(prefix('/registry/')), false],
    [get('/of/other'), false],
  ],
  v2: (own) => [
    [put(path(`${own}x`)), true],
    [get(path(`${own}x`)), true],
    [get(path(own, { recursive: true })), true],
    [watch(path(`${own}x`)), true],
    [del(path(`${own}none`)), true],
    [get(path(own.slice(0, -1))), false],
    [get(path(`${own.slice(0, -1)}0`)), false],
    [put(path(`${own.slice(0, -1)}0`)), false],
    [get(path('/registry/pods/x')), false],
    [put(path('/registry/pods/x')), false],
    [get(path('/registry', { recursive: true })), false],
    [del(path('/registry/none')), false],
    [get(path('/')), false],
    [get(path('/of/other')), false],
  ],
}
const shown = ({ op, keys }: KeyOperation): string => `${op} ${JSON.stringify(keys)}`
const wantedOf = (table: Table) => Object.fromEntries(table.map(([operation, allowed]) => [shown(operation), allowed]))

const lanes = await testLanes()
console.info(`identities judged by etcd ${lanes.map(({ name }) => name).join(', ')}`)

test('there is at least one etcd to judge by', () => {
  expect(lanes.length).toBeGreaterThan(0)
})

describe.each(lanes.map((lane) => ({ lane, name: lane.name, apis: lane.v2 === 'none' ? (['v3'] as const) : (['v3', 'v2'] as const) })))('etcd $name with auth on', ({ lane, apis }) => {
  let cluster: Cluster
  let rivals: Authority<'client'>
  const opened: { close(): unknown }[] = []
  beforeAll(async () => {
    cluster = await startCluster({ lane, members: 1, policy })
    rivals = await createCa(crypto, { name: 'etcd-clients', signer: (await generateKeyPair(crypto, 'ecdsa-p256')).signer, validity: cluster.material.clients, issues: ['client'] })
    // There is something to read everywhere, from before auth is on: a refusal is no missing key.
    const ways = [...users.map((user) => `${keysOf(user)}x`), `${FELIX}x`, '/calico/felix/v10', '/registry/pods/x', '/of/other']
    for (const key of ways) for (const api of apis) expect(await cluster.attempt(anonymous, put(api === 'v3' ? key : path(key)))).toBe(true)
    for (const api of apis) {
      const auth = new EtcdAuth(cluster.backend(api, 'root'), { identity: { user: 'root' } })
      await auth.apply(await auth.plan(policy, { unmanaged: 'report', enable: true, acknowledgeOpenV2: true, acknowledgePasswordsInLog: true }))
    }
  })
  afterAll(async () => {
    for (const one of opened) one.close()
    await cluster.stop()
  })

  /** What comes of each operation for whoever shows this certificate. */
  const found = async (keyed: Keyed, operations: readonly KeyOperation[]): Promise<Record<string, boolean>> => {
    const [endpoint = ''] = cluster.clientUrls
    const etcd = new Etcd3(etcd3Options({ hosts: endpoint, ca: cluster.serverCa, ...keyed }))
    const fetch = httpsFetch({ ca: cluster.serverCa, cert: keyed.certificate, key: keyed.key })
    opened.push(etcd, fetch)
    const results: Record<string, boolean> = {}
    for (const operation of operations)
      results[shown(operation)] = operation.keys.api === 'v3' ? await attemptV3(v3Client(etcd), operation, operation.keys) : await attemptV2(fetch, endpoint, operation, operation.keys)
    return results
  }
  const certificate = async ({ by = cluster.material.clients, user = 'alice', algorithm = 'ecdsa-p256', validity = cluster.material.validity }: {
    by?: Authority<'client'>
    user?: string
    algorithm?: KeyAlgorithm
    validity?: Validity
  }): Promise<Keyed> => {
    const keys = await generateKeyPair(crypto, algorithm, { extractable: true })
    const csr = await createCsr(crypto, { signer: keys.signer })
    return { certificate: (await issueClient(by, { policy, user, csr, validity })).chain, key: await keys.exportPkcs8() }
  }

  describe.each(apis)('over %s', (api) => {
    const judge = async (keyed: Keyed, own: string): Promise<void> => {
      const table = rights[api](own)
      expect(await found(keyed, table.map(([operation]) => operation))).toEqual(wantedOf(table))
    }

    test('a certificate of alice reads and writes what is hers, and nothing else', async () => {
      await judge(await cluster.credentials('alice'), keysOf('alice'))
    })

    test('a role of /calico/felix/v1/ reads and writes there, not at /calico/felix/v1, /calico/felix/v10 or /registry/', async () => {
      const [inside, ...outside] = [`${FELIX}x`, '/calico/felix/v1', '/calico/felix/v10', '/registry/pods/x'].map((key) => (api === 'v3' ? key : path(key)))
      const node = await cluster.credentials('calico-node')
      const refused = outside.flatMap((key) => [get(key), ...(key === outside[0] && api === 'v2' ? [] : [put(key)]), del(key)])
      const table: Table = [[put(inside!), true], [get(inside!), true], ...refused.map((operation) => [operation, false] as const)]
      expect(await found(node, table.map(([operation]) => operation))).toEqual(wantedOf(table))
      await judge(node, FELIX)
    })

    test.each(odd)('a certificate of %s is that user, to the letter', async (user) => {
      await judge(await cluster.credentials(user), keysOf(user))
    })

    test.each(['rsa-2048', 'ecdsa-p384'] as const)('a certificate over a key of %s is accepted', async (algorithm) => {
      await judge(await certificate({ algorithm }), keysOf('alice'))
    })

    test('a certificate of somebody who is no user reads and writes nothing', async () => {
      const everything = users.flatMap((user) => rights[api](keysOf(user)).map(([operation]) => operation))
      const answers = await found(await cluster.credentials(anonymous), everything)
      expect(Object.entries(answers).filter(([, allowed]) => allowed)).toEqual([])
      expect(Object.keys(answers).length).toBeGreaterThan(users.length)
    })

    // The alert may come as such, or as the end of a connection that TLS 1.3 had already opened on this side.
    const refusal = api === 'v3' ? { message: expect.stringMatching(/^14 UNAVAILABLE: .*(?:alert|ECONNRESET|EPIPE)/) as string } : { code: expect.stringMatching(/^(?:ECONNRESET|EPIPE|EPROTO|ERR_SSL_\w+)$/) as string }
    const minute = 60_000
    const shift = (from: number, until: number): Validity => ({ notBefore: new Date(Date.now() + from * minute), notAfter: new Date(Date.now() + until * minute) })
    test.each([
      ['of another authority of the same name, for root', () => certificate({ by: rivals, user: 'root' })],
      ['that has expired', () => certificate({ validity: shift(-8, -1) })],
      ['that is not valid yet', () => certificate({ validity: shift(60, 120) })],
    ])('a certificate %s is refused by TLS', async (_, make) => {
      const read = rights[api](keysOf('alice')).slice(1, 2).map(([operation]) => operation)
      await expect(found(await make(), read)).rejects.toMatchObject(refusal)
      // The same, in its time and from the right authority, is let in.
      expect(Object.values(await found(await certificate({ validity: shift(-8, 60) }), read))).toEqual([true])
    })
  })

  test('alice may look at her own user and role and at nobody else, and each name is found as it was written', async () => {
    const alice = await cluster.client('alice')
    const call = () => ({ deadline: Date.now() + 10_000 })
    expect((await alice.auth.userGet({ name: 'alice' }, call())).roles).toEqual([roleOf('alice')])
    expect((await alice.auth.roleGet({ role: roleOf('alice') }, call())).perm).toHaveLength(1)
    // Each is asked in its turn: one that is refused before it is awaited would count as nobody's.
    for (const refused of [
      () => alice.auth.userGet({ name: 'bob' }, call()),
      () => alice.auth.userGet({ name: 'root' }, call()),
      () => alice.auth.roleGet({ role: roleOf('bob') }, call()),
      () => alice.auth.userList(call()),
      () => alice.auth.userGrantRole({ user: 'alice', role: 'root' }, call()),
    ])
      await expect(refused()).rejects.toThrow(/permission denied/)
    for (const user of odd) expect((await (await cluster.client(user)).auth.userGet({ name: user }, call())).roles).toEqual([roleOf(user)])
  })

  if (lane.v2 !== 'none')
    test('on v2, alice may look at no user', async () => {
      const { certificate: cert, key } = await cluster.credentials('alice')
      const [alice, root] = [httpsFetch({ ca: cluster.serverCa, cert, key }), httpsFetch({ ca: cluster.serverCa, cert: (await cluster.credentials('root')).certificate, key: (await cluster.credentials('root')).key })]
      opened.push(alice, root)
      for (const at of ['users/alice', 'users/bob', 'users', 'roles/guest']) {
        expect((await alice(`${cluster.clientUrls[0]!}/v2/auth/${at}`)).status, at).toBe(401)
        expect((await root(`${cluster.clientUrls[0]!}/v2/auth/${at}`)).status, at).toBe(200)
      }
    })
})
