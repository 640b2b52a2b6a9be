/** What must and must not compile where certificates are made. */
import { definePolicy, parsePolicy, type Policy } from '../../src/policy/index.js'
import {
  checkMaterial,
  createCa,
  createIntermediateCa,
  crossSign,
  generateKeyPair,
  issueClient,
  issueServer,
  joinBundle,
  openCa,
  openPrivateKey,
  planMaterial,
  verifyCsr,
  type Authority,
  type CaRequest,
  createCrl,
  expiryReport,
  inspectCrl,
  issueClients,
  proveOldKey,
  renew,
  renewalDue,
  selectRecords,
  updateCrl,
  type CertificatePem,
  type ClientRecord,
  type CrlPem,
  type ExpiryRow,
  type Issued,
  type OldKeyProof,
  type CsrPem,
  type EncryptedPrivateKeyPem,
  type PrivateKeyPem,
  type Purpose,
  type Signer,
  type Validity,
} from '../../src/pki/index.js'
import type { WebCryptoLike } from '../../src/platform.js'

const policy = definePolicy({ users: { root: 'certificate', 'calico-node': 'certificate', auditor: 'password' }, members: ['etcd-0'], authorities: ['ca'] })

declare const general: Policy
declare const crypto: WebCryptoLike
declare const clients: Authority<'client'>, servers: Authority<'server'>, peers: Authority<'peer'>, both: Authority<'client' | 'server'>
declare const csr: CsrPem, text: string, certificate: CertificatePem, validity: Validity, signer: Signer

// A PEM file that was read is text of an unknown kind; what an `issue…` returned keeps its kind.
void issueClient(both, { policy, user: 'calico-node', csr: text, validity })
void issueServer(both, { policy, member: 'etcd-0', hosts: [], csr: text, validity })
// @ts-expect-error a certificate is no CSR
void issueClient(clients, { policy, user: 'root', csr: certificate, validity })
// @ts-expect-error a CSR is no certificate
void openCa(crypto, { certificate: csr, signer, issues: ['client'] })
// @ts-expect-error a certificate is no CSR
void verifyCsr(crypto, certificate)

// A policy from a file has names that only run time knows.
void issueClient(clients, { policy: parsePolicy({}), user: text, csr: text, validity })
void issueClient(clients, { policy: general, user: text, csr: text, validity })
// @ts-expect-error some string is no declared user
void issueClient(clients, { policy, user: text, csr, validity })
for (const user of ['root', 'calico-node'] as const) void issueClient(clients, { policy, user, csr, validity })

// A private key leaves WebCrypto only where that was asked for.
declare const key: PrivateKeyPem, encrypted: EncryptedPrivateKeyPem, bytes: Uint8Array
for (const input of [key, encrypted, text, bytes]) void openPrivateKey(crypto, input).then(({ signer }) => signer)
export const exported: Promise<PrivateKeyPem> = openPrivateKey(crypto, key, { extractable: true }).then(({ exportPkcs8 }) => exportPkcs8())
export const locked: Promise<EncryptedPrivateKeyPem> = generateKeyPair(crypto, 'ed25519', { extractable: true, fips: false }).then((keys) => keys.exportPkcs8({ passphrase: text }))
// @ts-expect-error it was not asked for
void openPrivateKey(crypto, key).then(({ exportPkcs8 }) => { void exportPkcs8 })
// @ts-expect-error nor was it here
void generateKeyPair(crypto, 'ecdsa-p521', { fips: true }).then(({ exportPkcs8 }) => { void exportPkcs8 })
// @ts-expect-error encrypted by nothing
void openPrivateKey(crypto, key, { extractable: true }).then((keys) => keys.exportPkcs8({ iterations: 600_000 }))
// @ts-expect-error a key that is encrypted is not one that is plain
export const plain: PrivateKeyPem = encrypted
// @ts-expect-error a certificate is no key
void openPrivateKey(crypto, certificate)
// @ts-expect-error not an algorithm
void generateKeyPair(crypto, 'rsa-1024')
// @ts-expect-error a key is not trusted
void joinBundle([key])

// What an authority issues.
export const made: Promise<Authority<'client'>> = createCa(crypto, { name: 'x', signer, validity, issues: ['client'] })
export const opened: Promise<Authority<'peer'>> = openCa(crypto, { certificate, signer, issues: ['client', 'peer'] })
// @ts-expect-error an authority for one purpose does not become one for two
export const wider: Authority<'client' | 'peer'> = clients
// @ts-expect-error what it issues has no default
void createCa(crypto, { name: 'x', signer, validity })
// @ts-expect-error not a purpose
void createCa(crypto, { name: 'x', signer, validity, issues: ['peers'] })

// @ts-expect-error an authority issues something
void createCa(crypto, { name: 'x', signer, validity, issues: [] })
// @ts-expect-error each purpose once
void createCa(crypto, { name: 'x', signer, validity, issues: ['client', 'client'] })
// @ts-expect-error likewise
void createCa(crypto, { name: 'x', signer, validity, issues: ['client', 'peer', 'client'] })
// @ts-expect-error an authority issues something
void openCa(crypto, { certificate, signer, issues: [] })
const twice = ['server', 'server'] as const
// @ts-expect-error each purpose once
void openCa(crypto, { certificate, signer, issues: twice })
// What is not known when compiling is left to run time.
declare const purpose: Purpose, purposes: readonly Purpose[], request: CaRequest<'client'>
void createCa(crypto, { name: 'x', signer, validity, issues: [purpose, purpose] })
void createCa(crypto, { name: 'x', signer, validity, issues: ['client', purpose] })
void createCa(crypto, { name: 'x', signer, validity, issues: purposes })
void openCa(crypto, { certificate, signer, issues: purposes })
export const requested: Promise<Authority<'client'>> = createCa(crypto, request)
export const explicit: Promise<Authority<'client'>> = createCa<'client'>(crypto, { name: 'x', signer, validity, issues: ['client'] })
const prebuilt = ['client', 'server'] as const
export const prepared: Promise<Authority<'client' | 'server'>> = createCa(crypto, { name: 'x', signer, validity, issues: prebuilt })
export const some = async <const D extends Purpose>(issues: readonly D[]): Promise<Authority<D>> => createCa(crypto, { name: 'x', signer, validity, issues })
export const one = async <const D extends Purpose>(issues: D): Promise<Authority<D>> => openCa(crypto, { certificate, signer, issues: [issues] })

// @ts-expect-error long validity is asked for in words
void issueClient(clients, { policy, user: 'root', csr, validity, longLived: true })
// @ts-expect-error each member's hosts are stated
planMaterial(policy, [], new Date(0), { hosts: {}, authorities: { client: clients, server: servers, peer: peers } })
// @ts-expect-error no such algorithm
void generateKeyPair(crypto, 'rsa-1024')

// Labels are for users of certificates.
const planned = { hosts: { 'etcd-0': 'none' }, authorities: { client: clients, server: servers, peer: peers } } as const
planMaterial(policy, [], new Date(0), { ...planned, labels: { 'calico-node': ['node-1'] } })
planMaterial(general, [], new Date(0), { hosts: {}, authorities: planned.authorities, labels: { [text]: ['node-1'] } })
// @ts-expect-error logs in by password
planMaterial(policy, [], new Date(0), { ...planned, labels: { auditor: ['node-1'] } })
// @ts-expect-error no user of the policy
planMaterial(policy, [], new Date(0), { ...planned, labels: { 'calico-nod': ['node-1'] } })
// @ts-expect-error no such way
planMaterial(policy, [], new Date(0), { ...planned, gateway: 'of' })

// What stands under an authority issues no more than it.
export const under: Promise<Authority<'client'>> = createIntermediateCa(both, { name: 'x', signer, validity, issues: ['client'] })
export const underAll: Promise<Authority<'client' | 'server'>> = createIntermediateCa(both, { name: 'x', signer, validity, issues: ['client', 'server'] })
// @ts-expect-error the parent issues no servers
void createIntermediateCa(clients, { name: 'x', signer, validity, issues: ['client', 'server'] })
// @ts-expect-error likewise
void createIntermediateCa(servers, { name: 'x', signer, validity, issues: ['client'] })
// @ts-expect-error each purpose once
void createIntermediateCa(both, { name: 'x', signer, validity, issues: ['client', 'client'] })
// @ts-expect-error an authority issues something
void createIntermediateCa(both, { name: 'x', signer, validity, issues: [] })
// @ts-expect-error hosts are restricted by lists
void createCa(crypto, { name: 'x', signer, validity, issues: ['client'], nameConstraints: { permitted: 'example' } })

// Nobody vouches for more than it issues itself.
void crossSign(both, clients, { validity })
// @ts-expect-error those who trust the first would take servers from the second
void crossSign(clients, both, { validity })

// A preflight is about a declared user or member.
const files = { policy, now: new Date(0), certificate: text, trusted: text } as const
void checkMaterial(crypto, { ...files, purpose: 'client', user: 'calico-node' })
void checkMaterial(crypto, { ...files, purpose: 'peer', member: 'etcd-0', urls: ['https://10.0.0.10:2380'] })
void checkMaterial(crypto, { ...files, policy: general, purpose: 'client', user: text })
// @ts-expect-error logs in by password
void checkMaterial(crypto, { ...files, purpose: 'client', user: 'auditor' })
// @ts-expect-error no user of the policy
void checkMaterial(crypto, { ...files, purpose: 'client', user: 'calico-nod' })
// @ts-expect-error no member of the policy
void checkMaterial(crypto, { ...files, purpose: 'server', member: 'etcd-1' })
// @ts-expect-error a user has no URLs
void checkMaterial(crypto, { ...files, purpose: 'client', user: 'root', urls: [] })
// @ts-expect-error a CSR is no certificate
void checkMaterial(crypto, { ...files, purpose: 'client', user: 'root', certificate: csr })
// @ts-expect-error what it is for has no default
void checkMaterial(crypto, files)

// Lists of what is revoked.
declare const clientRecord: ClientRecord, crl: CrlPem, proof: OldKeyProof, now: Date
export const lost: readonly ClientRecord[] = selectRecords([clientRecord], { label: 'node-17' })
void createCrl(clients, { revoked: lost.map((certificate) => ({ certificate, revokedAt: now, reason: 'keyCompromise' })), validity })
void createCrl(peers, { revoked: [{ certificate: { serial: '0a' }, revokedAt: now }], validity })
void updateCrl(clients, crl, { validity })
void inspectCrl(crypto, text, { issuer: certificate })
// @ts-expect-error a reason that says nothing is left out
void createCrl(clients, { revoked: [{ certificate: clientRecord, revokedAt: now, reason: 'unspecified' }], validity })
// @ts-expect-error nothing is taken back
void createCrl(clients, { revoked: [{ certificate: clientRecord, revokedAt: now, reason: 'removeFromCRL' }], validity })
// @ts-expect-error dates are stated
void createCrl(clients, { revoked: [] })
// @ts-expect-error a certificate is no list
void updateCrl(clients, certificate, { validity })
// @ts-expect-error no such criterion
selectRecords([clientRecord], { node: 'node-17' })

// Renewals.
void renew(clients, { policy, previous: certificate, csr, key: 'new', proof, now, validity })
void renew(clients, { policy, previous: text, csr: text, key: 'new', proof: 'not demanded', now, validity, record: clientRecord })
void renew(clients, { policy, previous: certificate, csr, key: 'same', now, validity, hosts: ['10.0.0.10'], as: { purpose: 'peer', member: 'etcd-0' } })
// @ts-expect-error whether the old key must ask for a new one is said
void renew(clients, { policy, previous: certificate, csr, key: 'new', now, validity })
// @ts-expect-error of the same key the CSR is the proof
void renew(clients, { policy, previous: certificate, csr, key: 'same', proof, now, validity })
// @ts-expect-error a key is new or the same
void renew(clients, { policy, previous: certificate, csr, key: 'any', now, validity })
// @ts-expect-error an expired certificate is accepted in words
void renew(clients, { policy, previous: certificate, csr, key: 'same', now, validity, expired: true })
void proveOldKey(signer, csr).then((made: OldKeyProof) => made.signature)

// Many at once.
export const many: AsyncIterable<Issued<ClientRecord>> = issueClients(clients, [{ user: 'calico-node', label: 'node-1', csr }], { policy, validity, concurrency: 4, onIssued: ({ record }, { count }) => [record.user, count] })
async function* queue() {
  yield await Promise.resolve({ user: 'root', csr: text } as const)
}
issueClients(both, queue(), { policy, validity, onRefused: (_, { user }, index) => [user, index] })
issueClients(clients, [{ user: text, csr: text }], { policy: general, validity })
// @ts-expect-error logs in by password
issueClients(clients, [{ user: 'auditor', csr }], { policy, validity })
// @ts-expect-error no user of the policy
issueClients(clients, [{ user: 'calico-nod', csr }], { policy, validity })
// @ts-expect-error for clients alone
issueClients(servers, [{ user: 'root', csr }], { policy, validity })

// Expiry.
export const rows: readonly ExpiryRow<ClientRecord>[] = expiryReport([clientRecord], now)
expiryReport([clients, peers], now)
renewalDue(clientRecord, now, { jitter: 0.5 })
// @ts-expect-error a text has no dates
renewalDue(text, now)
