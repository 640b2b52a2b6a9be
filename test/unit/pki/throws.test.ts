/** What a caller must be ready for stands in the documentation of each function, under `@throws`. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as auth from '../../../src/auth/index.js'
import { EtcdRbacError, isEtcdRbacError, type ErrorCode } from '../../../src/errors.js'
import * as whole from '../../../src/index.js'
import * as pki from '../../../src/pki/index.js'
import {
  checkMaterial, createCa, createCrl, createCsr, createIntermediateCa, crossSign, days, expiryReport, generateKeyPair, inspectCrl, issueClient, issueClients, issueGateway, issuePeer, issueServer, joinBundle, openCa,
  openPrivateKey, proveOldKey, renew, selectRecords, splitBundle, toDer, toPem, updateCrl, type Signer,
} from '../../../src/pki/index.js'
import * as policyRoom from '../../../src/policy/index.js'
import * as presets from '../../../src/presets/index.js'
import * as render from '../../../src/render/index.js'
import * as testing from '../../../src/testing/index.js'
import type { WebCryptoLike } from '../../../src/platform.js'
import { authority, keyOf, NOW, policy, rejected, validity } from '../../support/pki.js'

const { crypto } = globalThis
const { signer } = await keyOf(crypto)
const ca = await authority(crypto, 'etcd-ca', ['client', 'server', 'peer'])
const csr = await createCsr(crypto, { signer })
const other = await authority(crypto, 'etcd-ca', ['client'])
const members = await authority(crypto, 'etcd-ca', ['server', 'peer'])
const { certificate } = ca

/** The codes that the documentation of a function lists, itself or by naming another. */
function documented(name: string): readonly string[] {
  const file = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  const text = readFileSync(new URL(`../../../src/pki/${file}.ts`, import.meta.url), 'utf8')
  const doc = text.slice(0, text.search(new RegExp(`function ${name}[<(]`)))
  const [, list = ''] = /@throws (.*?)(?:@example|\*\/)/s.exec(doc.slice(doc.lastIndexOf('/**'))) ?? []
  const other = /as `(\w+)`/.exec(list)?.[1]
  return [...(list.match(/ERR_\w+/g) ?? []), ...(other === undefined ? [] : documented(other))]
}

const broken: Signer = { ...signer, publicKey: Uint8Array.from([...signer.publicKey, 0]) }
const gone = { subtle: null, getRandomValues: () => undefined } as unknown as WebCryptoLike
const missing = { getRandomValues: () => undefined, subtle: undefined } as unknown as WebCryptoLike
/** A WebCrypto that is whole but for one method. */
const but = (change: object): WebCryptoLike => {
  const { subtle } = crypto
  const methods = ['digest', 'generateKey', 'importKey', 'exportKey', 'sign', 'verify'] as const
  const whole = Object.fromEntries(methods.map((method) => [method, (subtle[method] as (...args: never[]) => unknown).bind(subtle)]))
  return { subtle: { ...whole, ...change }, getRandomValues: (array: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(array) }
}
/** An authority on a WebCrypto that runs out of randomness once it is made. */
async function dry(more: { readonly pathLength?: number } = {}) {
  let random = true
  const turning: WebCryptoLike = { subtle: crypto.subtle, getRandomValues: (array: Uint8Array<ArrayBuffer>) => (random ? crypto.getRandomValues(array) : array) }
  const made = await createCa(turning, { name: 'etcd-ca', signer, validity: days(3650).from(NOW, { backdateMinutes: 60 }), issues: ['client', 'server', 'peer'], ...more })
  random = false
  return made
}
/** What a function without waiting throws, as a rejection. */
const after = (run: () => unknown): Promise<unknown> => Promise.resolve().then(run)
const caOf = (change: object) => createCa(crypto, { name: 'etcd-ca', signer, validity, issues: ['client'], ...change })
const below = (change: object) => createIntermediateCa(ca, { name: 'etcd-clients', signer, validity, issues: ['client'], ...change })
const client = { policy, user: 'alice', csr, validity } as const
const member = { policy, member: 'etcd-0', hosts: ['10.0.0.10'], csr, validity } as const

const cases: readonly (readonly [name: string, code: ErrorCode, run: () => Promise<unknown>])[] = [
  ['createCa', 'ERR_DER_INVALID', () => caOf({ signer: broken })],
  ['createCa', 'ERR_CRYPTO_UNUSABLE', () => createCa(gone, { name: 'etcd-ca', signer, validity, issues: ['client'] })],
  ['createCa', 'ERR_NAME_INVALID', () => caOf({ name: 'root' })],
  ['createCa', 'ERR_HOST_INVALID', () => caOf({ nameConstraints: {} })],
  ['createIntermediateCa', 'ERR_NAME_INVALID', () => below({ name: 'root' })],
  ['createIntermediateCa', 'ERR_DER_INVALID', () => below({ signer: broken })],
  ['createIntermediateCa', 'ERR_ISSUE_REFUSED', () => below({})],
  ['createIntermediateCa', 'ERR_HOST_INVALID', () => below({ nameConstraints: {} })],
  ['createIntermediateCa', 'ERR_CRYPTO_UNUSABLE', async () => createIntermediateCa(await dry({ pathLength: 1 }), { name: 'etcd-clients', signer, validity, issues: ['client'] })],
  ['crossSign', 'ERR_ISSUE_REFUSED', () => crossSign(ca, ca, { validity })],
  ['crossSign', 'ERR_ALGORITHM_UNSUPPORTED', async () => crossSign(await caOf({ pathLength: 1, fips: true }), await caOf({ signer: (await generateKeyPair(crypto, 'ed25519')).signer }), { validity })],
  ['crossSign', 'ERR_CRYPTO_UNUSABLE', async () => crossSign(await dry({ pathLength: 1 }), ca, { validity })],
  ['createCrl', 'ERR_CRL_INVALID', () => createCrl(ca, { revoked: [{ certificate: { serial: '' }, revokedAt: NOW }], validity })],
  ['createCrl', 'ERR_RECORD_INVALID', () => createCrl(ca, { revoked: [{ certificate: { serial: '01', purpose: 'client' } as never, revokedAt: NOW }], validity })],
  ['createCrl', 'ERR_VALIDITY_INVALID', () => createCrl(ca, { revoked: [], validity: days(4000).from(NOW) })],
  ['updateCrl', 'ERR_CRL_INVALID', async () => updateCrl(ca, (await createCrl(other, { revoked: [], validity })).der, { validity })],
  ['updateCrl', 'ERR_PEM_INVALID', () => updateCrl(ca, certificate as string, { validity })],
  ['updateCrl', 'ERR_DER_INVALID', () => updateCrl(ca, new Uint8Array(), { validity })],
  ['inspectCrl', 'ERR_CRYPTO_UNUSABLE', () => inspectCrl(gone, new Uint8Array())],
  ['inspectCrl', 'ERR_DER_INVALID', () => inspectCrl(crypto, new Uint8Array())],
  ['inspectCrl', 'ERR_PEM_INVALID', () => inspectCrl(crypto, '')],
  ['issueClients', 'ERR_PURPOSE_REFUSED', () => after(() => issueClients(members as never, [], { policy, validity }))],
  ['issueClients', 'ERR_ABORTED', () => issueClients(ca, [{ user: 'alice', csr }], { policy, validity, signal: { aborted: true } })[Symbol.asyncIterator]().next()],
  ['issueClients', 'ERR_USER_UNKNOWN', () => issueClients(ca, [{ user: 'bob' as 'alice', csr }], { policy, validity })[Symbol.asyncIterator]().next()],
  ['proveOldKey', 'ERR_PEM_INVALID', () => proveOldKey(signer, certificate as string)],
  ['proveOldKey', 'ERR_DER_INVALID', () => proveOldKey(broken, csr)],
  ['renew', 'ERR_RENEWAL_REFUSED', async () => renew(other, { policy, previous: (await issueClient(ca, client)).certificate, csr, key: 'same', now: NOW, validity })],
  ['renew', 'ERR_CRL_INVALID', () => renew(ca, { policy, previous: certificate, csr, key: 'same', now: NOW, validity, revoked: ['x'] })],
  ['renew', 'ERR_CERTIFICATE_INVALID', () => renew(ca, { policy, previous: certificate, csr, key: 'same', now: NOW, validity, as: { purpose: 'client', user: 'alice' } })],
  ['renew', 'ERR_PEM_INVALID', () => renew(ca, { policy, previous: csr as string, csr, key: 'same', now: NOW, validity })],
  ['expiryReport', 'ERR_VALIDITY_INVALID', () => after(() => expiryReport([], NOW, { daysLeft: -1 }))],
  ['selectRecords', 'ERR_RECORD_INVALID', () => after(() => selectRecords([{}] as never, { label: 'x' }))],
  ['checkMaterial', 'ERR_CRYPTO_UNUSABLE', () => checkMaterial(gone, { policy, now: NOW, purpose: 'client', user: 'alice', certificate, trusted: certificate })],
  ['openCa', 'ERR_CRYPTO_UNUSABLE', () => openCa(gone, { certificate, signer, issues: ['client'] })],
  ['openCa', 'ERR_DER_INVALID', () => openCa(crypto, { certificate, signer: broken, issues: ['client'] })],
  ['generateKeyPair', 'ERR_CRYPTO_UNUSABLE', () => generateKeyPair(gone, 'ecdsa-p256')],
  ['generateKeyPair', 'ERR_CRYPTO_UNUSABLE', () => generateKeyPair(missing, 'ecdsa-p256')],
  ['createCsr', 'ERR_CRYPTO_UNUSABLE', () => createCsr(gone, { signer })],
  ['createCsr', 'ERR_DER_INVALID', () => createCsr(crypto, { signer: broken })],
  ['createCsr', 'ERR_NAME_INVALID', () => createCsr(crypto, { signer, commonName: '' })],
  ['openPrivateKey', 'ERR_CRYPTO_UNUSABLE', () => openPrivateKey(gone, '')],
  ['openPrivateKey', 'ERR_SIGNER_INVALID', async () => {
    const made = await generateKeyPair(crypto, 'ecdsa-p256', { extractable: true })
    return openPrivateKey(but({ sign: () => Promise.resolve(new ArrayBuffer(64)) }), await made.exportPkcs8())
  }],
  ['generateKeyPair', 'ERR_ALGORITHM_UNSUPPORTED', () => generateKeyPair(crypto, 'ed25519', { fips: true })],
  ['openPrivateKey', 'ERR_PEM_INVALID', () => openPrivateKey(crypto, '')],
  ['openPrivateKey', 'ERR_DER_INVALID', () => openPrivateKey(crypto, new Uint8Array())],
  ['openPrivateKey', 'ERR_PASSPHRASE', async () => openPrivateKey(crypto, await (await generateKeyPair(crypto, 'ecdsa-p256', { extractable: true })).exportPkcs8(), { passphrase: 'x' })],
  ['openPrivateKey', 'ERR_ALGORITHM_UNSUPPORTED', async () => openPrivateKey(crypto, await (await generateKeyPair(crypto, 'ed25519', { extractable: true })).exportPkcs8(), { fips: true })],
  ['openPrivateKey', 'ERR_KEY_MISMATCH', async () => openPrivateKey(but({ importKey: () => Promise.reject(new Error('no')) }), await (await generateKeyPair(crypto, 'ecdsa-p256', { extractable: true })).exportPkcs8())],
  ['toPem', 'ERR_DER_INVALID', () => after(() => toPem('csr', new Uint8Array()))],
  ['toDer', 'ERR_PEM_INVALID', () => after(() => toDer(''))],
  ['toDer', 'ERR_DER_INVALID', () => after(() => toDer(csr.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE')))],
  ['splitBundle', 'ERR_PEM_INVALID', () => after(() => splitBundle(csr.slice(1)))],
  ['joinBundle', 'ERR_PEM_INVALID', () => after(() => joinBundle([csr.slice(1)]))],
  ['joinBundle', 'ERR_DER_INVALID', () => after(() => joinBundle([csr.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE')]))],
  ['issueClient', 'ERR_NAME_INVALID', () => issueClient(ca, { ...client, user: '' as 'alice' })],
  ['issueClient', 'ERR_CRYPTO_UNUSABLE', async () => issueClient(await dry(), client)],
  ['issueServer', 'ERR_NAME_INVALID', () => issueServer(ca, { ...member, member: 'root' as 'etcd-0' })],
  ['issueServer', 'ERR_ISSUE_REFUSED', () => issueServer(ca, { ...member, member: 'alice' as 'etcd-0' })],
  ['issueServer', 'ERR_CRYPTO_UNUSABLE', async () => issueServer(await dry(), member)],
  ['issuePeer', 'ERR_NAME_INVALID', () => issuePeer(ca, { ...member, member: 'root' as 'etcd-0' })],
  ['issuePeer', 'ERR_CRYPTO_UNUSABLE', async () => issuePeer(await dry(), member)],
  ['issueServer', 'ERR_NAME_CONSTRAINTS', async () => {
    const years = days(3650).from(NOW, { backdateMinutes: 60 })
    return issueServer(await createCa(crypto, { name: 'etcd-ca', signer, validity: years, issues: ['server'], nameConstraints: { permitted: ['10.9.0.0/16'] } }), member)
  }],
  ['issueGateway', 'ERR_HOST_INVALID', () => issueGateway(ca, { policy, uri: 'x', csr, validity })],
  ['issueGateway', 'ERR_CRYPTO_UNUSABLE', async () => issueGateway(await dry(), { policy, uri: 'urn:x:y', csr, validity })],
]

describe('is documented:', () => {
  test.each(cases)('%s throws %s', async (name, code, run) => {
    await rejected(code, run())
    expect(documented(name)).toContain(code)
  })
})

test('no message is filled by a long text, and none is cut without saying so', async () => {
  const long = 'x'.repeat(100_000)
  for (const [code, run] of [
    ['ERR_NAME_INVALID', () => caOf({ name: long })],
    ['ERR_PURPOSE_REFUSED', () => caOf({ issues: [long] })],
    ['ERR_ALGORITHM_UNSUPPORTED', () => caOf({ signer: { ...signer, algorithm: long } })],
    ['ERR_ALGORITHM_UNSUPPORTED', () => generateKeyPair(crypto, long as never)],
    ['ERR_LABEL_INVALID', () => issueClient(ca, { ...client, label: long })],
    ['ERR_HOST_INVALID', () => issueServer(ca, { ...member, hosts: [long] })],
    ['ERR_HOST_INVALID', () => issueGateway(ca, { policy, uri: long, csr, validity })],
  ] as const) {
    const { message } = await rejected(code, run())
    expect(message.length).toBeLessThan(500)
    expect(message).toContain(`${'x'.repeat(100)}…"`)
  }
})

test.each<[string, { readonly isEtcdRbacError: unknown; readonly EtcdRbacError: unknown }]>([
  ['etcd-rbac', whole], ['etcd-rbac/auth', auth], ['etcd-rbac/pki', pki], ['etcd-rbac/policy', policyRoom], ['etcd-rbac/presets', presets], ['etcd-rbac/render', render], ['etcd-rbac/testing', testing],
])('%s has the error that it throws, and its guard', (_, exported) => {
  expect(exported).toMatchObject({ isEtcdRbacError, EtcdRbacError })
})
