/** One certificate of every kind that the library issues, with what each is, for judges that know nothing of the library. */
import type { WebCryptoLike } from '../../src/platform.js'
import {
  createCa, createCsr, createIntermediateCa, crossSign, days, generateKeyPair, hostsOf, issueClient, issueGateway, issuePeer, issueServer, loopbackHosts, type Authority, type ExportableKeyPair,
  type ExtendedUsage, type KeyAlgorithm, type Purpose,
} from '../../src/pki/index.js'
import { definePolicy } from '../../src/policy/index.js'

/** The longest name that there is, and beyond ASCII: 64 characters, 192 bytes. */
export const LONGEST = '✓'.repeat(64)

export const policy = definePolicy({
  users: { root: 'certificate', alice: 'certificate', 'naïve ✓': 'certificate', [LONGEST]: 'certificate' },
  members: ['etcd-0', 'etcd-peer'],
  authorities: ['etcd-ca', 'etcd-clients', 'etcd-servers', 'etcd-peers'],
  v3: { roles: {}, bindings: { root: ['root'] } },
})

/** DNS names and addresses of both families, and the loopback ones. */
export const hosts: readonly string[] = [...hostsOf('https://10.0.0.10:2379', 'https://[fd00::10]:2379', 'https://etcd-0.example.com:2379'), ...loopbackHosts]

/** The present, to the second, and dates around it: foreign judges look at their own clock. */
export const now = new Date()
export const validity = days(90).from(now, { backdateMinutes: 5 })
export const caValidity = days(3650).from(now, { backdateMinutes: 60 })

/** What a kind of certificate is. */
export interface Kind {
  readonly usages: readonly ExtendedUsage[]
  readonly commonName: string | undefined
  readonly hosts: readonly string[]
  readonly uris: readonly string[]
  /** Its key takes part in a key exchange where it is RSA. */
  readonly serves: boolean
  issue(authority: Authority<Purpose>, csr: string): Promise<{ readonly certificate: string; readonly chain: string }>
}

const client = (user: 'alice' | 'naïve ✓', label?: string): Kind => ({
  usages: ['clientAuth'],
  commonName: user,
  hosts: [],
  uris: label === undefined ? [] : [`urn:etcd-rbac:label:${label}`],
  serves: false,
  issue: (authority, csr) => issueClient(authority, { policy, user, csr, validity, ...(label === undefined ? {} : { label }) }),
})
const member = (usages: readonly ExtendedUsage[], commonName: string | undefined, issue: Kind['issue']): Kind => ({ usages, commonName, hosts, uris: [], serves: true, issue })
const ofMember = (csr: string) => ({ policy, member: 'etcd-0', hosts, csr, validity }) as const

export const kinds = {
  server: member(['serverAuth', 'clientAuth'], undefined, (authority, csr) => issueServer(authority, ofMember(csr))),
  'server-only': member(['serverAuth'], undefined, (authority, csr) => issueServer(authority, { ...ofMember(csr), gateway: 'off' })),
  peer: member(['serverAuth', 'clientAuth'], undefined, (authority, csr) => issuePeer(authority, ofMember(csr))),
  'named-peer': member(['serverAuth', 'clientAuth'], 'etcd-peer', (authority, csr) => issuePeer(authority, { ...ofMember(csr), commonName: 'etcd-peer' })),
  client: client('alice'),
  'labelled-client': client('alice', 'node-7'),
  'named-beyond-ascii': client('naïve ✓'),
  'longest-name': { ...client('alice'), commonName: LONGEST, issue: (authority, csr) => issueClient(authority, { policy, user: LONGEST, csr, validity }) },
  gateway: {
    usages: ['clientAuth'],
    commonName: undefined,
    hosts: [],
    uris: ['urn:example:gateway'],
    serves: false,
    issue: (authority, csr) => issueGateway(authority, { policy, uri: 'urn:example:gateway', csr, validity }),
  },
} as const satisfies Readonly<Record<string, Kind>>

export type KindName = keyof typeof kinds
export const kindNames = Object.keys(kinds) as readonly KindName[]

/** Every kind of key. */
export const keyAlgorithms: readonly KeyAlgorithm[] = ['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048', 'rsa-3072', 'rsa-4096', 'ed25519']

/** Which kinds of key sign which: each of those that are made fast with each. The large ones stand twice each, as both, since they take long to make. */
const fast = ['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048', 'ed25519'] as const
export const combinations: readonly (readonly [authority: KeyAlgorithm, leaf: KeyAlgorithm])[] = fast.flatMap((authority) => fast.map((leaf) => [authority, leaf] as const))
export const largeCombinations: typeof combinations = [['rsa-3072', 'rsa-4096'], ['rsa-4096', 'rsa-3072'], ['rsa-3072', 'ed25519'], ['ecdsa-p521', 'rsa-4096']]

/** Keys and authorities made once for each WebCrypto and algorithm. */
export function makers(crypto: WebCryptoLike): {
  key(algorithm: KeyAlgorithm): Promise<ExportableKeyPair>
  authority(algorithm: KeyAlgorithm): Promise<Authority<Purpose>>
  everyKind(authority: KeyAlgorithm, leaf: KeyAlgorithm): Promise<readonly { readonly name: KindName; readonly kind: Kind; readonly certificate: string }[]>
} {
  const keys = new Map<KeyAlgorithm, Promise<ExportableKeyPair>>()
  const authorities = new Map<KeyAlgorithm, Promise<Authority<Purpose>>>()
  const once = <T>(made: Map<KeyAlgorithm, Promise<T>>, algorithm: KeyAlgorithm, make: () => Promise<T>): Promise<T> => {
    const known = made.get(algorithm) ?? make()
    made.set(algorithm, known)
    return known
  }
  const key = (algorithm: KeyAlgorithm) => once(keys, algorithm, () => generateKeyPair(crypto, algorithm, { extractable: true }))
  const authority = (algorithm: KeyAlgorithm) =>
    once(authorities, algorithm, async () => {
      const { signer } = await generateKeyPair(crypto, algorithm)
      return createCa(crypto, { name: 'etcd-ca', signer, validity: caValidity, issues: ['client', 'server', 'peer'] })
    })
  return {
    key,
    authority,
    everyKind: async (by, leaf) => {
      const csr = await createCsr(crypto, { signer: (await key(leaf)).signer })
      const ca = await authority(by)
      return Promise.all(kindNames.map(async (name) => ({ name, kind: kinds[name], certificate: (await kinds[name].issue(ca, csr)).certificate })))
    },
  }
}

/** A certificate for a judge, below a root, and what Go should say of its chain and of hosts. */
export interface OptionalCertificate {
  readonly option: string
  readonly certificate: string
  readonly authority: string
  readonly intermediates: string
  /** What it is for; of an authority everything. */
  readonly usages: readonly ExtendedUsage[]
  readonly hosts: Readonly<Record<string, boolean>>
}

/** One certificate at least of every option that changes what stands in one, beside those of {@link kinds}. */
export async function everyOption(crypto: WebCryptoLike): Promise<readonly OptionalCertificate[]> {
  const signer = async (algorithm: KeyAlgorithm = 'ecdsa-p256') => (await generateKeyPair(crypto, algorithm)).signer
  const years = (count: number) => days(365 * count).from(now, { backdateMinutes: 60 })
  const csr = await createCsr(crypto, { signer: await signer() })
  const common = { policy, csr, validity } as const
  const all = ['client', 'server', 'peer'] as const
  const both = ['serverAuth', 'clientAuth'] as const
  const made: OptionalCertificate[] = []
  const add = (option: string, certificate: string, root: { readonly certificate: string }, more: Partial<OptionalCertificate> = {}): unknown =>
    made.push({ option, certificate, authority: root.certificate, intermediates: '', usages: both, hosts: {}, ...more })

  const constrained = await createCa(crypto, {
    name: 'etcd-ca', signer: await signer(), validity: caValidity, issues: all, pathLength: 2,
    nameConstraints: { permitted: ['etcd.example', '10.0.0.0/8', 'fd00::/8'], excluded: ['bad.etcd.example', '10.9.0.0/16'] },
  })
  add('a root with name constraints and room for two below it', constrained.certificate, constrained)
  const excluding = await createCa(crypto, { name: 'etcd-servers', signer: await signer(), validity: caValidity, issues: ['server'], nameConstraints: { excluded: ['0.0.0.0/0', '::/0'] } })
  add('a root that excludes every address', excluding.certificate, excluding)
  const upper = await createIntermediateCa(constrained, { name: 'etcd-servers', signer: await signer('rsa-2048'), validity: years(5), issues: ['client', 'server'], pathLength: 1, nameConstraints: { permitted: ['a.etcd.example'] } })
  add('an intermediate with room and name constraints', upper.certificate, constrained)
  const lower = await createIntermediateCa(upper, { name: 'etcd-clients', signer: await signer('ecdsa-p384'), validity: years(3), issues: ['client'] })
  add('an intermediate below another', lower.certificate, constrained, { intermediates: upper.certificate })
  const wild = await issueServer(upper, { ...common, member: 'etcd-0', hosts: ['*.a.etcd.example', '10.1.2.3', 'fd00::1'], wildcard: 'every name of that domain' })
  add('a wildcard, below an intermediate', wild.certificate, constrained, { intermediates: upper.certificate, hosts: { 'x.a.etcd.example': true, '10.1.2.3': true, 'fd00::1': true, 'a.etcd.example': false, 'x.y.a.etcd.example': false } })
  const low = await issueClient(lower, { ...common, user: 'alice' })
  add('a client below two intermediates', low.certificate, constrained, { intermediates: lower.certificate + upper.certificate, usages: ['clientAuth'] })

  const lasting = await createCa(crypto, { name: 'etcd-clients', signer: await signer(), validity: years(60), issues: ['client'], pathLength: 1 })
  add('a root until beyond 2050', lasting.certificate, lasting)
  const aged = await issueClient(lasting, { ...common, user: 'alice', validity: days(365 * 50).from(now, { backdateMinutes: 5 }), longLived: 'longer than 397 days' })
  add('a leaf until beyond 2050', aged.certificate, lasting, { usages: ['clientAuth'] })
  const middle = await createIntermediateCa(lasting, { name: 'etcd-ca', signer: await signer(), validity: years(3), issues: ['client'] })
  add('a label below an intermediate', (await issueClient(middle, { ...common, user: 'alice', label: 'node-7.rack-1' })).certificate, lasting, { intermediates: middle.certificate, usages: ['clientAuth'] })
  const successor = await createCa(crypto, { name: 'etcd-ca', signer: await signer('ed25519'), validity: caValidity, issues: ['client'] })
  const bridge = await crossSign(lasting, successor, { validity: days(100).from(now, { backdateMinutes: 5 }) })
  add('a root that its predecessor vouches for', bridge, lasting)
  add('a leaf below that, for those who trust the predecessor', (await issueClient(successor, { ...common, user: 'alice' })).certificate, lasting, { intermediates: bridge, usages: ['clientAuth'] })

  const names = Array.from({ length: 100 }, (_, at) => `h${at}.etcd.example`)
  add('a hundred hosts', (await issueServer(excluding, { ...common, member: 'etcd-0', hosts: names })).certificate, excluding, { hosts: { 'h0.etcd.example': true, 'h99.etcd.example': true, 'h100.etcd.example': false } })
  const fips = await createCa(crypto, { name: 'etcd-peers', signer: await signer('ecdsa-p384'), validity: caValidity, issues: ['peer'], fips: true })
  add('a root of the option fips', fips.certificate, fips)
  add('a leaf of the option fips', (await issuePeer(fips, { ...common, member: 'etcd-0', hosts: ['localhost'] })).certificate, fips, { hosts: { localhost: true } })
  return made
}
