/** What a caller of plain JavaScript may get wrong about a request: whatever nobody would read is refused, since it may be the very thing that was to protect. */
import { describe, expect, test } from 'vitest'
import {
  createCsr, days, issueClient, issueClients, issueGateway, issuePeer, issueServer, planMaterial, renew, rotateCa,
} from '../../../src/pki/index.js'
import { authority, keyOf, NOW, policy, validity } from '../../support/pki.js'

const { crypto } = globalThis
const ca = await authority(crypto, 'etcd-ca', ['client', 'server', 'peer'])
const next = await authority(crypto, 'etcd-clients', ['client'])
const { signer } = await keyOf(crypto)
const csr = await createCsr(crypto, { signer })
const common = { policy, csr, validity }
const member = { ...common, member: 'etcd-0', hosts: ['10.0.0.10'] }
const dialled = { server: ['10.0.0.10'], peer: ['10.0.0.10'] }
const hosts = { 'etcd-0': dialled, 'etcd-1': 'none', 'etcd-peer': 'none' }
const previous = (await issueClient(ca, { ...common, user: 'alice' })).certificate

type Table = Readonly<Record<string, unknown>>
const first = async (request: unknown, change: Table = {}): Promise<unknown> => {
  for await (const issued of issueClients(ca, [request] as never, { policy, validity, ...change })) return issued
  return undefined
}
const plan = (options: unknown) => planMaterial(policy, [], NOW, options as never)
const material = { hosts, authorities: { client: ca, server: ca, peer: ca } }
const rotation = { purposes: ['client'], old: ca, new: next, members: ['etcd-0'], records: [], now: NOW }

/** Each function with a request that it takes, and as what its messages name it. */
const functions: readonly (readonly [name: string, run: (request: unknown) => unknown, good: Table])[] = [
  ['issueClient', (request) => issueClient(ca, request as never), { ...common, user: 'alice' }],
  ['issueServer', (request) => issueServer(ca, request as never), member],
  ['issuePeer', (request) => issuePeer(ca, request as never), member],
  ['issueGateway', (request) => issueGateway(ca, request as never), { ...common, uri: 'urn:example:gateway' }],
  ['issueClients', (request) => first(request), { user: 'alice', csr }],
  ['renew', (request) => renew(ca, request as never), { ...common, previous, key: 'same', now: NOW }],
  ['createCsr', (request) => createCsr(crypto, request as never), { signer }],
  ['planMaterial', plan, material],
  ['rotateCa', (request) => rotateCa(crypto, request as never), rotation],
]
/** What is thrown at once or rejected, as a rejection. */
const after = (run: () => unknown): Promise<unknown> => Promise.resolve().then(run)

describe.each(functions)('%s', (name, run, good) => {
  test('takes a whole request', async () => {
    expect(await after(() => run(good))).toBeDefined()
  })

  test('refuses a field that it does not read, by name', async () => {
    const refusal = after(() => run({ ...good, authorise: () => false }))
    await expect(refusal).rejects.toThrow(TypeError)
    await expect(refusal).rejects.toThrow(/no field "authorise", only /)
  })

  test.each([[null], [undefined], [7], ['alice'], [[good]]])('refuses %s for a request, and says that it is a table', async (request) => {
    const refusal = after(() => run(request))
    await expect(refusal).rejects.toThrow(TypeError)
    await expect(refusal).rejects.toThrow(new RegExp(`${name === 'rotateCa' ? 'rotation' : name}.* table`))
  })
})

describe.each(functions.filter(([, , good]) => 'policy' in good))('%s', (_, run, good) => {
  test.each<[string, unknown]>([['undefined', undefined], ['null', null], ['{}', {}], ['a list', []], ['users alone', { users: {} }], ['users that are a list', { ...policy, users: [] }]])('refuses %s for a policy, and says so', async (_name, odd) => {
    const refusal = after(() => run({ ...good, policy: odd }))
    await expect(refusal).rejects.toThrow(TypeError)
    await expect(refusal).rejects.toThrow(/policy must be one that definePolicy or parsePolicy made/)
  })

  test.each(['yes', true, null, {}])('refuses %j for a hook', async (authorize) => {
    const refusal = after(() => run({ ...good, authorize }))
    await expect(refusal).rejects.toThrow(TypeError)
    await expect(refusal).rejects.toThrow(/authorize must be a function/)
  })

  test('reads a field that is inherited, as any other', async () => {
    const inherited = Object.assign(Object.create({ authorize: () => false }) as object, good)
    await expect(after(() => run(inherited))).rejects.toMatchObject({ code: 'ERR_ISSUE_REFUSED' })
  })
})

test.each<[string, () => unknown, RegExp]>([
  ['of issueServer', () => issueServer(ca, { ...member, gatway: 'off' } as never), /"gatway"/],
  ['of issueClient', () => issueClient(ca, { ...common, user: 'alice', lable: 'n1' } as never), /"lable"/],
  ['of each request of issueClients', () => first({ user: 'alice', csr, lable: 'n1' }), /"lable"/],
  ['of createCsr', () => createCsr(crypto, { signer, commonname: 'alice' } as never), /"commonname"/],
  ['of a lifetime', () => days(1).from(NOW, { backdateMinute: 5 } as never), /"backdateMinute"/],
  ['of planMaterial', () => plan({ ...material, lables: { alice: ['n1'] } }), /"lables"/],
  ["of planMaterial's authorities", () => plan({ ...material, authorities: { ...material.authorities, gateway: ca } }), /"gateway"/],
  ["of planMaterial's hosts", () => plan({ ...material, hosts: { ...hosts, 'etcd-0': { ...dialled, pear: [] } } }), /"pear"/],
  ["of planMaterial's Common Names", () => plan({ ...material, commonNames: { sever: 'etcd-peer' } }), /"sever"/],
  ["of planMaterial's window", () => plan({ ...material, renew: { fractionLeft: 0.5, daysLeft2: 3 } }), /"daysLeft2"/],
  ["of rotateCa's old authority", () => rotateCa(crypto, { ...rotation, old: { certificate: ca.certificate, trustd: ca.root } } as never), /"trustd"/],
  ["of rotateCa's new authority", () => rotateCa(crypto, { ...rotation, new: { certificate: next.certificate, trustd: next.root } } as never), /"trustd"/],
])('a misspelt field %s is refused by name', async (_, run, name) => {
  const refusal = after(run)
  await expect(refusal).rejects.toThrow(TypeError)
  await expect(refusal).rejects.toThrow(name)
})

test.each<[string, () => unknown]>([
  ['authorities', () => plan({ hosts })], ['an authority', () => plan({ ...material, authorities: { client: ca, server: ca } })], ['hosts', () => plan({ authorities: material.authorities })],
  ['the hosts of a member', () => plan({ ...material, hosts: { ...hosts, 'etcd-0': 7 } })], ['a policy', () => planMaterial(undefined as never, [], NOW, material as never)],
])('planMaterial without %s says so in a TypeError', (_, run) => {
  expect(run).toThrow(TypeError)
  expect(run).not.toThrow(/Cannot|undefined/)
})

test('what all requests of issueClients have in common is checked at once', () => {
  expect(() => issueClients(ca, [], { policy } as never)).toThrow(TypeError)
  expect(() => issueClients(ca, [], { validity } as never)).toThrow(/policy must be one/)
})
