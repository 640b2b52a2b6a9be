/** What plain JavaScript passes instead of what the types say: refused at the door, by a message that says what was wanted, before anything is asked. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describe as describePlan, EtcdAuth, etcd3Options, planAuth, policyOfState, v2Backend, type CertificateFacts, type Plan } from '../../../src/auth/index.js'
import { pattern, prefix, range, read } from '../../../src/keys/index.js'
import { createCsr, inspectCertificate, issueClient } from '../../../src/pki/index.js'
import { manualClock } from '../../../src/testing/index.js'
import { authority, keyOf, policy as issuing, validity } from '../../support/pki.js'
import { double, locked, passwords, policy, rejected, type Double } from './doubles.js'

/** What the TypeError says; an error that JavaScript itself made of it is none. */
async function refusal(work: () => unknown): Promise<string> {
  const error = await Promise.resolve()
    .then(work)
    .then(
      (value) => new Error(`wanted a TypeError, found ${JSON.stringify(value)}`),
      (reason: unknown) => reason,
    )
  expect(error, String(error)).toBeInstanceOf(TypeError)
  expect((error as Error).message).not.toMatch(/Cannot|undefined|is not (?:a function|iterable)|\[object/)
  return (error as Error).message
}

const certificate = { commonName: 'root', usages: ['clientAuth'], notBefore: '2026-01-01T00:00:00.000Z', notAfter: '2027-01-01T00:00:00.000Z' }

let made: Double
let plan: Plan
let asked: number

beforeEach(async () => {
  made = double('v3')
  plan = await made.auth().plan(policy, locked)
  asked = made.etcd.calls.length
})

afterEach(() => {
  expect(made.etcd.calls).toHaveLength(asked)
})

describe('the constructor of EtcdAuth refuses', () => {
  const identity = { user: 'root' }

  test.each([
    ['no backend', () => new EtcdAuth(undefined as never, { identity })],
    ["etcd3's client", () => new EtcdAuth(made.etcd.auth as never, { identity })],
    ['half a backend', () => new EtcdAuth({ api: 'v3', perform: () => Promise.resolve() } as never, { identity })],
    ['a backend that does not say how many writes it bears', () => new EtcdAuth({ ...made.backend(), writesAtOnce: undefined } as never, { identity })],
  ])('%s', async (_, work) => {
    expect(await refusal(work)).toBe('the first argument is a backend, as v3Backend and v2Backend make it')
  })

  test.each<[string, unknown, RegExp]>([
    ['no options', undefined, /^identity\.user must name/],
    ['null', null, /^identity\.user must name/],
    ['no identity', {}, /^identity\.user must name/],
    ['an empty user', { identity: { user: '' } }, /^identity\.user must name/],
    ['a misspelt deadline', { identity, deadlineMs: 5 }, /"deadlineMs", only identity, deadlineMilliseconds, clock$/],
    ['a misspelt certificate', { identity: { user: 'root', cert: certificate } }, /"cert", only user, certificate$/],
    ['a clock that is none', { identity, clock: Date }, /^clock must have/],
    ['a deadline as text', { identity, deadlineMilliseconds: '5' }, /^deadlineMilliseconds must be/],
    ...([
      ['the text of a certificate', '-----BEGIN CERTIFICATE-----'],
      ['no certificate at all', null],
      ['an empty certificate', {}],
      ['a certificate without usages', { ...certificate, usages: undefined }],
      ['a certificate with dates that are none', { ...certificate, notAfter: 'tomorrow' }],
      ['a certificate with dates as numbers', { ...certificate, notAfter: 1 }],
    ] as const).map(([what, given]): [string, unknown, RegExp] => [what, { identity: { user: 'root', certificate: given } }, /^identity\.certificate must be what issueClient or inspectCertificate gave/]),
  ])('%s', async (_, options, message) => {
    expect(await refusal(() => new EtcdAuth(made.backend(), options as never))).toMatch(message)
  })
})

describe('apply refuses', () => {
  test.each([
    ['nothing', () => undefined],
    ['null', () => null],
    ['a text', () => 'plan'],
    ['a policy', () => policy],
    ['a plan without steps', () => ({ ...plan, steps: undefined })],
    ['a plan without a policy', () => ({ ...plan, policy: null })],
    ['a plan without options', () => ({ ...plan, options: undefined })],
  ])('%s instead of a plan', async (_, given) => {
    expect(await refusal(() => made.auth().apply(given() as never, { passwords }))).toBe('plan must be a plan, as EtcdAuth.plan, planAuth and parsePlan give it')
  })

  test.each<[string, unknown, RegExp]>([
    ['null', null, /^the options of apply must be a table/],
    ['a misspelt lock', { passwords, lok: {} }, /"lok", only passwords, onStep, signal, pacing, concurrency, lock$/],
    ['a misspelt pacing', { passwords, pacig: {} }, /"pacig"/],
    ['a misspelt signal', { passwords, signl: AbortSignal.abort() }, /"signl"/],
    ['passwords that are null', { passwords: null }, /^passwords must be a table/],
    ['passwords as a list', { passwords: [] }, /^passwords must be a table/],
    ['passwords as a text', { passwords: 'secret' }, /^passwords must be a table/],
    ['a password that is no text', { passwords: { auditor: 7 } }, /^the password of user "auditor" must be a string$/],
    ['an onStep that cannot be called', { passwords, onStep: {} }, /^onStep must be a function$/],
    ['a controller as signal', { passwords, signal: new AbortController() }, /^signal must be an AbortSignal/],
    ['null as signal', { passwords, signal: null }, /^signal must be an AbortSignal/],
    ['an empty lock', { passwords, lock: {} }, /^lock must have the functions acquire and release/],
    ['null as lock', { passwords, lock: null }, /^lock must have the functions acquire and release/],
    ['half a lock', { passwords, lock: { acquire: () => Promise.resolve() } }, /^lock must have the functions acquire and release/],
  ])('%s', async (_, options, message) => {
    expect(await refusal(() => made.auth().apply(plan, options as never))).toMatch(message)
  })
})

describe('reading refuses', () => {
  test.each<[string, () => unknown, RegExp]>([
    ['null as options of state', () => made.auth().state(null as never), /^the options of state must be a table/],
    ['a misspelt option of state', () => made.auth().state({ hidenUsers: [] } as never), /"hidenUsers"/],
    ['a controller as signal of state', () => made.auth().state({ signal: new AbortController() as never }), /^signal must be an AbortSignal/],
    ['a plan without options', () => made.auth().plan(policy, undefined as never), /^unmanaged must be/],
    ['a controller as signal of plan', () => made.auth().plan(policy, { ...locked, signal: new AbortController() as never }), /^signal must be an AbortSignal/],
    ['null as signal of plan', () => made.auth().plan(policy, { ...locked, signal: null as never }), /^signal must be an AbortSignal/],
    ['null as options of drift', () => made.auth().drift(policy, null as never), /^the options of drift must be a table/],
    ['a controller as signal of drift', () => made.auth().drift(policy, { signal: new AbortController() as never }), /^signal must be an AbortSignal/],
  ])('%s', async (_, work, message) => {
    expect(await refusal(work)).toMatch(message)
  })
})

test('as a certificate fits what issueClient and inspectCertificate give, kept as JSON or not', async () => {
  const { signer } = await keyOf(crypto)
  const { certificate: pem, record } = await issueClient(await authority(crypto, 'etcd-clients', ['client']), { policy: issuing, user: 'root', csr: await createCsr(crypto, { signer }), validity })
  const facts = await inspectCertificate(crypto, pem)
  const kept: unknown = JSON.parse(JSON.stringify(facts))
  const blockers = async (given: CertificateFacts) => {
    const { auth } = double('v3')
    return (await auth({ identity: { user: 'root', certificate: given }, clock: manualClock(validity.notBefore) }).plan(policy, locked)).blockers
  }
  for (const given of [facts, kept as CertificateFacts, record]) expect(await blockers(given)).toEqual([])
  expect(await blockers({ ...facts, notAfter: '2001-01-01T00:00:00.000Z', notBefore: '2000-01-01T00:00:00.000Z' })).toEqual([expect.stringContaining('expired on 2001-01-01T00:00:00.000Z') as string])
})

test.each<[string, unknown, RegExp]>([
  ['null', null, /^the options of setPassword must be a table/],
  ['a misspelt one', { acknowledgePasswordInLog: true }, /"acknowledgePasswordInLog", only acknowledgePasswordsInLog$/],
])('a password is not set with %s as options', async (_, options, message) => {
  expect(await refusal(() => made.auth().setPassword('auditor', 'a password', options as never))).toMatch(message)
  expect(await refusal(() => made.auth().dropPassword('auditor', options as never))).toMatch(new RegExp(message.source.replace('setPassword', 'dropPassword')))
})

test.each<[string, unknown, RegExp]>([
  ['null', null, /^the options of disable must be a table/],
  ['a signal, which it does not look at', { signal: AbortSignal.abort() }, /^the options of disable have no field "signal"$/],
])('auth is not turned off with %s as options', async (_, options, message) => {
  expect(await refusal(() => made.auth().disable(options as never))).toMatch(message)
})

test('a user who is to log in by certificate is not made with a password that nobody would use, nor is that told', async () => {
  const message = await refusal(() => made.auth().addUser('app', { login: 'certificate', password: 'geheim' } as never))
  expect(message).toMatch(/^a user who logs in by certificate is given no password/)
  expect(message).not.toContain('geheim')
})

describe('what users need is refused where it is', () => {
  test.each<[string, unknown, RegExp]>([
    ['a list', [], /^needs must be a table/],
    ['of nobody known', { app: null }, /^needs of "app" must be a component/],
    ['without permissions', { app: {} }, /^needs of "app" must be a component/],
    ['null as a permission', { app: { permissions: [null] } }, /^permissions in needs of "app" must be made by read, write or readwrite$/],
    ['a permission as text', { app: { permissions: ['read /a/'] } }, /^permissions in needs of "app"/],
    ['a type that there is not', { app: { permissions: [{ type: 'all', keys: prefix('/a/') }] } }, /^permissions in needs of "app"/],
    ['keys alone', { app: { permissions: [prefix('/a/')] } }, /^permissions in needs of "app"/],
    ['null as an operation', { app: { permissions: [], operations: [null] } }, /^operations in needs of "app" must each say whom they are openTo$/],
    ['an operation open to nobody', { app: { permissions: [], operations: [{}] } }, /^operations in needs of "app"/],
  ])('%s', async (_, needs, message) => {
    expect(await refusal(() => made.auth().plan(policy, { ...locked, needs: needs as never }))).toMatch(message)
    expect(await refusal(() => made.auth().enable({ needs: needs as never }))).toMatch(message)
  })

  test.each([
    ['ERR_POLICY_INVALID', { type: 'read', keys: { api: 'v3', kind: 'bogus' } }],
    ['ERR_POLICY_INVALID', { type: 'read', keys: { api: 'v2' } }],
    ['ERR_RANGE_EMPTY', { type: 'read', keys: { api: 'v3', kind: 'range', start: 'b', end: 'a' } }],
    ['ERR_PATTERN_INVALID', { type: 'read', keys: { api: 'v2', pattern: '' } }],
  ] as const)('by keys that no policy may hold: %s', async (code, permission) => {
    await rejected(code, made.auth().plan(policy, { ...locked, needs: { app: { permissions: [permission as never] } } }))
  })

  test('and taken as presets and constructors make it', async () => {
    const needs = { auditor: { permissions: [read(range('/calico/', '/calico0'))], operations: [{ openTo: 'users' }] }, ghost: { permissions: [read(pattern('/calico/*'))] } }
    await double('v3').auth().plan(policy, { ...locked, needs })
    await double('v2').auth().plan(policy, { ...locked, needs })
  })
})

describe.each(['v3', 'v2'] as const)('on %s, no keys to revoke are', (api) => {
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['no kind', { api }],
    ['an unknown kind', { api, kind: 'bogus', pattern: 7 }],
    ['keys of the other API', { ...(api === 'v3' ? pattern('/a') : prefix('/a/')) }],
    ['a permission', read(prefix('/a/'))],
    ['a key that is no text', { api, kind: 'key', key: 7, pattern: 7 }],
  ])('%s', async (_, keys) => {
    expect(await refusal(() => double(api).auth().revokePermission('r', keys as never))).toMatch(/^keys are made by key|are revoked by keys of that API$/)
  })
})

describe.each<[string, unknown]>([
  ['nothing', undefined],
  ['no API', { enabled: true, users: {}, roles: {} }],
  ['neither users nor roles', { api: 'v3', enabled: true }],
  ['no word on auth', { api: 'v3', users: {}, roles: {} }],
  ['a text for whether auth is on', { api: 'v3', enabled: 'false', users: {}, roles: {} }],
  ['a version that is no text', { api: 'v3', version: 3.5, enabled: true, users: {}, roles: {} }],
  ['users without roles', { api: 'v3', enabled: true, users: { a: null }, roles: {} }],
  ['a role that is no text', { api: 'v3', enabled: true, users: { a: [7] }, roles: {} }],
  ['roles without permissions', { api: 'v3', enabled: true, users: {}, roles: { r: null } }],
  ['null as a permission', { api: 'v3', enabled: true, users: {}, roles: { r: [null] } }],
  ['a permission without keys', { api: 'v3', enabled: true, users: {}, roles: { r: [{ type: 'read' }] } }],
  ['keys of an unknown kind', { api: 'v3', enabled: true, users: {}, roles: { r: [{ type: 'read', keys: { api: 'v3', kind: 'bogus' } }] } }],
  ['keys of the other API', { api: 'v2', enabled: true, users: {}, roles: { r: [{ type: 'read', keys: prefix('/a/') }] } }],
  ['names that cannot be asked for, as a text', { api: 'v3', enabled: true, users: {}, roles: {}, unreadable: { users: 'a', roles: [] } }],
])('a state with %s', (_, state) => {
  test('is made no policy of, and not planned for', async () => {
    expect(await refusal(() => policyOfState(state as never, { logins: 'certificate' }))).toMatch(/^state must be what an etcd's auth store holds/)
    expect(await refusal(() => planAuth(state as never, policy, locked, { user: 'root' }, new Date()))).toMatch(/^state must be what an etcd's auth store holds/)
  })
})

test.each<[string, unknown, unknown, unknown, RegExp]>([
  ['no identity', locked, undefined, new Date(), /^identity\.user must name/],
  ['the text of a certificate', locked, { user: 'root', certificate: 'PEM' }, new Date(), /^identity\.certificate must be/],
  ['a misspelt certificate', locked, { user: 'root', certficate: certificate }, new Date(), /"certficate", only user, certificate$/],
  ['no date', locked, { user: 'root' }, undefined, /^now must be a valid Date$/],
  ['an invalid date', locked, { user: 'root', certificate }, new Date('x'), /^now must be a valid Date$/],
  ['a wish to ask the server', { ...locked, probeEmptyPasswords: true }, { user: 'root' }, new Date(), /"probeEmptyPasswords"/],
  ['a signal', { ...locked, signal: AbortSignal.abort() }, { user: 'root' }, new Date(), /"signal"/],
])('planning without a server is refused with %s', async (_, options, identity, now, message) => {
  const state = { api: 'v3', version: '3.5.35', enabled: false, users: {}, roles: {} } as const
  expect(await refusal(() => planAuth(state, policy, options as never, identity as never, now as never))).toMatch(message)
})

describe('v2Backend refuses', () => {
  const fetch = (): Promise<never> => Promise.reject(new Error('asked'))
  const endpoint = 'https://127.0.0.1:2379'

  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /^fetch must be a function/],
    ['null', null, /^fetch must be a function/],
    ['no fetch', { endpoint, crypto }, /^fetch must be a function/],
    ['no endpoint', { fetch, crypto }, /^endpoint must be the URL/],
    ['an endpoint that is no URL', { fetch, crypto, endpoint: '127.0.0.1:2379' }, /^endpoint must be the URL/],
    ['endpoints', { fetch, crypto, endpoint: [endpoint] }, /^endpoint must be the URL/],
    ['no crypto', { fetch, endpoint }, /^crypto must be a WebCrypto object/],
    ['a crypto that draws nothing', { fetch, endpoint, crypto: crypto.subtle }, /^crypto must be a WebCrypto object/],
    ['a misspelt option', { fetch, endpoint, crypto, endpoints: [] }, /"endpoints", only fetch, endpoint, crypto$/],
  ])('%s', async (_, options, message) => {
    expect(await refusal(() => v2Backend(options as never))).toMatch(message)
  })
})

describe('etcd3Options refuses', () => {
  const pem = '-----BEGIN X-----\n-----END X-----\n'
  const material = { hosts: 'https://127.0.0.1:2379', ca: pem, certificate: pem, key: pem }

  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /^hosts must be/],
    ['no hosts', { ...material, hosts: undefined }, /^hosts must be/],
    ['hosts that are no texts', { ...material, hosts: [7] }, /^hosts must be/],
    ['an empty list of hosts', { ...material, hosts: [] }, /^hosts must name/],
    ['no ca', { ...material, ca: undefined }, /^ca must be a PEM text/],
    ['no certificate', { ...material, certificate: undefined }, /^certificate must be a PEM text/],
    ['no key', { ...material, key: undefined }, /^key must be a PEM text/],
    ['the path of a key', { ...material, key: '/etc/key.pem' }, /^key must be a PEM text, not the path of one$/],
    ['bytes', { ...material, key: Buffer.from(pem) }, /^key must be a PEM text/],
  ])('%s', async (_, given, message) => {
    expect(await refusal(() => etcd3Options(given as never))).toMatch(message)
  })

  test('nothing of what it wants', () => {
    expect(etcd3Options(material).hosts).toEqual([material.hosts])
  })
})

describe('describe refuses', () => {
  test.each<[string, () => unknown]>([
    ['nothing', () => undefined],
    ['a policy', () => policy],
    ['a plan with steps that are none', () => ({ ...plan, steps: [null] })],
  ])('%s instead of a plan', async (_, given) => {
    expect(await refusal(() => describePlan(given() as never))).toMatch(/^plan must be a plan/)
  })

  test('a format that there is not, and a misspelt one', async () => {
    expect(await refusal(() => describePlan(plan, { format: 'html' as never }))).toMatch(/^format must be/)
    expect(await refusal(() => describePlan(plan, { formt: 'text' } as never))).toMatch(/"formt"/)
    expect(await refusal(() => describePlan(plan, null as never))).toMatch(/^the options of describe must be a table/)
  })
})
