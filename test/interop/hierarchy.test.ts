/** Go and openssl judge chains: under intermediates, by authorities that another one signed, and within name constraints. What we refuse, they refuse. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isCi } from '../../scripts/fetch-etcd.mjs'
import { alternativeNames, authorityExtensions, leafExtensions, signedBy, tbsCertificate, type AlternativeName } from '../../src/pki/asn1/certificate.js'
import { signedObject } from '../../src/pki/asn1/csr.js'
import { commonNameOnly, EMPTY_NAME } from '../../src/pki/asn1/name.js'
import type { Subtrees } from '../../src/pki/asn1/name-constraints.js'
import { readCertificate } from '../../src/pki/asn1/read-certificate.js'
import { addressBytes } from '../../src/pki/hosts.js'
import { createCa, createCsr, createIntermediateCa, crossSign, generateKeyPair, issueServer, type Authority, type KeyAlgorithm, type Purpose } from '../../src/pki/index.js'
import { checkNameConstraints } from '../../src/pki/name-constraints.js'
import { readPem, readPemBlocks, writePem } from '../../src/pki/pem.js'
import { subtleOf } from '../../src/pki/subtle.js'
import { verifyChain } from '../../src/pki/verify-chain.js'
import { caValidity, kinds, now, policy, validity, type KindName } from '../support/certificates.js'
import { goVersion } from '../support/go-build.js'
import { buildJudge, judge } from '../support/go-judge.js'
import { openOpenssl, opensslVersion, type Openssl } from '../support/openssl.js'

const { crypto } = globalThis
const [openssl, go] = await Promise.all([opensslVersion(), goVersion()])
for (const [name, version] of [['openssl', openssl], ['Go', go]] as const) console.info(version === undefined ? `chains: ${name} did not judge, there is none here` : `chains judged by ${version}`)

test('openssl is here to judge chains, where CI runs', () => {
  if (isCi()) expect(openssl).toBeDefined()
})

let folder: Openssl
let binary: string
beforeAll(async () => {
  folder = await openOpenssl()
  if (go !== undefined) binary = await buildJudge(go)
})
afterAll(() => folder.remove())

interface Chain {
  readonly name: string
  /** The leaf first. */
  readonly chain: string
  readonly root: string
  /** What else it says of serving and of calling; both unless told. */
  readonly usages?: readonly string[]
}

const first = (chain: string): string => /-----BEGIN [^]+?-----END CERTIFICATE-----\n/.exec(chain)?.[0] ?? ''

/** What each judge says of each chain: whether it is good for a server and for a client. Judges that are not here are left out. */
async function judged(chains: readonly Chain[]): Promise<readonly { readonly name: string; readonly said: Readonly<Record<string, string>> }[]> {
  const verdicts = go === undefined ? [] : await judge(binary, chains.map(({ chain, root }) => ({ certificate: first(chain), authority: root, intermediates: chain.slice(first(chain).length), hosts: [] })))
  return Promise.all(
    chains.map(async ({ name, chain, root }, index) => {
      const said: Record<string, string> = {}
      const certificates = readPemBlocks('certificate', chain).map(readCertificate)
      const trusted = [readCertificate(readPem('certificate', root))]
      for (const usage of ['serverAuth', 'clientAuth'] as const) {
        const { problems } = await verifyChain(subtleOf(crypto), { chain: [certificates[0]!, ...certificates.slice(1)], trusted, usages: [usage], first: 'leaf', now })
        said[`ours ${usage}`] = problems.map(({ code }) => code).join() || 'OK'
        const verdict = verdicts[index]
        if (verdict !== undefined) said[`Go ${usage}`] = verdict.unreadable || verdict.chain[usage] || 'OK'
        if (openssl === undefined) continue
        const [leaf, above, top] = ['leaf', 'above', 'top'].map((part) => `${String(index)}-${usage}-${part}`) as [string, string, string]
        await folder.write(leaf, first(chain))
        await folder.write(above, chain.slice(first(chain).length))
        await folder.write(top, root)
        const untrusted = chain === first(chain) ? [] : ['-untrusted', above]
        const answer = await folder.verify([leaf], '-purpose', usage === 'serverAuth' ? 'sslserver' : 'sslclient', '-CAfile', top, ...untrusted)
        said[`openssl ${usage}`] = answer[leaf] ?? 'no answer'
      }
      return { name, said }
    }),
  )
}

const accepts = (said: Readonly<Record<string, string>>): Readonly<Record<string, boolean>> => Object.fromEntries(Object.entries(said).map(([who, answer]) => [who, answer === 'OK']))
const all = (said: Readonly<Record<string, string>>, wanted: (usage: string) => boolean) => Object.fromEntries(Object.keys(said).map((who) => [who, wanted(who.split(' ')[1] ?? '')]))

const keysOf = async (algorithm: KeyAlgorithm) => (await generateKeyPair(crypto, algorithm)).signer
const rootOf = async (name: string, algorithm: KeyAlgorithm, pathLength: number): Promise<Authority<Purpose>> =>
  createCa(crypto, { name, signer: await keysOf(algorithm), validity: caValidity, issues: ['client', 'server', 'peer'], pathLength })

describe('every kind of certificate', () => {
  const names: readonly KindName[] = ['server', 'server-only', 'peer', 'client', 'labelled-client', 'gateway']
  const issue = async (authority: Authority<Purpose>, more = ''): Promise<readonly Chain[]> => {
    const csr = await createCsr(crypto, { signer: await keysOf('ecdsa-p256') })
    return Promise.all(names.map(async (name) => ({ name, chain: (await kinds[name].issue(authority, csr)).chain + more, root: authority.root })))
  }

  test.each<readonly [root: KeyAlgorithm, middle: KeyAlgorithm, low: KeyAlgorithm]>([['ecdsa-p384', 'ecdsa-p256', 'ecdsa-p256'], ['rsa-3072', 'ecdsa-p256', 'rsa-2048'], ['ecdsa-p256', 'rsa-2048', 'ecdsa-p384'], ['ed25519', 'ecdsa-p521', 'ed25519']])(
    'is accepted under one and two intermediates, by a root of %s over authorities of %s and %s, for its own purpose alone',
    async (top, between, below) => {
      const root = await rootOf('etcd-ca', top, 2)
      const middle = await createIntermediateCa(root, { name: 'etcd-clients', signer: await keysOf(between), validity: caValidity, issues: ['client', 'server', 'peer'], pathLength: 1 })
      const low = await createIntermediateCa(middle, { name: 'etcd-servers', signer: await keysOf(below), validity: caValidity, issues: ['client', 'server', 'peer'] })
      for (const authority of [middle, low])
        for (const { name, said } of await judged(await issue(authority))) expect(accepts(said), name).toEqual(all(said, (usage) => (kinds[name as KindName].usages as readonly string[]).includes(usage)))
    },
  )

  test('is refused by all without its intermediate, under a root that allows none, and under an intermediate below another that allows none', async () => {
    const root = await rootOf('etcd-ca', 'ecdsa-p256', 2)
    const keys = await keysOf('ecdsa-p256')
    const middle = await createIntermediateCa(root, { name: 'etcd-clients', signer: keys, validity: caValidity, issues: ['client', 'server', 'peer'], pathLength: 1 })
    const [server] = await issue(middle)
    const alone = { ...server!, chain: first(server!.chain) }
    // The same key and name, in a root that allows no authority below it.
    const [narrowKeys, lowKeys] = [await keysOf('ecdsa-p256'), await keysOf('ecdsa-p256')]
    const wide = await createCa(crypto, { name: 'etcd-ca', signer: narrowKeys, validity: caValidity, issues: ['server'], pathLength: 1 })
    const narrow = await createCa(crypto, { name: 'etcd-ca', signer: narrowKeys, validity: caValidity, issues: ['server'] })
    const low = await createIntermediateCa(wide, { name: 'etcd-servers', signer: lowKeys, validity: caValidity, issues: ['server'] })
    const csr = await createCsr(crypto, { signer: keys })
    const { chain } = await kinds.server.issue(low as unknown as Authority<Purpose>, csr)
    for (const { said } of await judged([alone, { name: 'path length', chain, root: narrow.certificate }])) expect(accepts(said)).toEqual(all(said, () => false))
    const [control] = await judged([{ name: 'control', chain, root: wide.certificate }])
    expect(accepts(control!.said)).toEqual(all(control!.said, () => true))
  })

  test('of a successor is accepted by those who trust only its predecessor, with the certificate that it signed, and by those who trust the successor', async () => {
    const [old, successor] = [await rootOf('etcd-ca', 'ecdsa-p256', 1), await rootOf('etcd-clients', 'rsa-2048', 0)]
    const bridge = await crossSign(old, successor, { validity: caValidity })
    const chains = (await issue(successor, bridge)).flatMap((one) => [one, { ...one, root: old.certificate }])
    for (const { name, said } of await judged(chains)) expect(accepts(said), name).toEqual(all(said, (usage) => (kinds[name as KindName].usages as readonly string[]).includes(usage)))
    const [server] = await issue(successor)
    const [without] = await judged([{ ...server!, root: old.certificate }])
    expect(accepts(without!.said)).toEqual(all(without!.said, () => false))
  })

  test('of a successor of the same name is accepted likewise, since both are found by their keys', async () => {
    const [old, successor] = [await rootOf('etcd-ca', 'ecdsa-p256', 1), await rootOf('etcd-ca', 'ecdsa-p256', 0)]
    const bridge = await crossSign(old, successor, { validity: caValidity })
    for (const root of [old, successor])
      for (const { name, said } of await judged((await issue(successor, bridge)).map((one) => ({ ...one, root: root.certificate })))) expect(accepts(said), name).toEqual(all(said, (usage) => (kinds[name as KindName].usages as readonly string[]).includes(usage)))
    await expect(rootOf('etcd-ca', 'ecdsa-p256', 0).then((narrow) => crossSign(narrow, successor, { validity: caValidity }))).rejects.toThrow('may have 0 authorities')
  })
})

describe('name constraints', () => {
  /** A leaf for a name of any form under an authority of any constraints: made by hand, since the library refuses to issue half of them. */
  async function chainOf(constraints: Subtrees, names: readonly AlternativeName[], commonName?: string): Promise<{ readonly chain: string; readonly root: string }> {
    const [by, keys] = [await keysOf('ecdsa-p256'), await keysOf('ecdsa-p256')]
    const keyId = crypto.getRandomValues(new Uint8Array(20))
    const make = async (subject: Uint8Array, publicKeyDer: Uint8Array, extensions: readonly Uint8Array[], dates: typeof validity): Promise<string> => {
      const tbs = tbsCertificate({ serial: crypto.getRandomValues(new Uint8Array(16)), signedBy: signedBy(by.algorithm, commonNameOnly('etcd-ca')), ...dates, subject, publicKeyDer, extensions })
      return writePem('certificate', signedObject(tbs, by.algorithm, await by.sign(tbs)))
    }
    const leaf = leafExtensions(['digitalSignature'], ['serverAuth', 'clientAuth'], keyId)
    return {
      chain: await make(commonName === undefined ? EMPTY_NAME : commonNameOnly(commonName), keys.publicKey, names.length === 0 ? [leaf] : [leaf, alternativeNames(names, commonName === undefined)], validity),
      root: await make(commonNameOnly('etcd-ca'), by.publicKey, [authorityExtensions(keyId, 0, { constraints })], caValidity),
    }
  }
  const nameOf = (host: string): AlternativeName => {
    const address = addressBytes(host)
    return address === undefined ? { kind: 'dns', name: host } : { kind: 'ip', address }
  }
  const raw = (suffix: string): Subtrees => ({ permitted: [{ kind: 'dns', suffix }], excluded: [] })

  const table: readonly (readonly [title: string, constraints: Subtrees, inside: readonly string[], outside: readonly string[]])[] = [
    ['a permitted name', checkNameConstraints({ permitted: ['etcd.example'] }), ['etcd.example', 'a.etcd.example', 'b.a.etcd.example', 'A.Etcd.Example', '*.etcd.example', '10.0.0.1', '::1'], ['example', 'xetcd.example', 'etcd.example.org', 'localhost', '*.example']],
    ['an excluded name', checkNameConstraints({ excluded: ['test.example'] }), ['example', 'xtest.example', 'other.org'], ['test.example', 'a.TEST.example', '*.test.example']],
    ['a permitted and an excluded name', checkNameConstraints({ permitted: ['example'], excluded: ['test.example'] }), ['a.example', 'example'], ['test.example', 'x.test.example', 'other.org']],
    ['a name with a dot in front', raw('.etcd.example'), ['a.etcd.example', 'b.a.etcd.example'], ['etcd.example', 'xetcd.example']],
    ['the empty name', raw(''), ['a', 'a.b'], []],
    ['an IPv4 block', checkNameConstraints({ permitted: ['10.128.0.0/9'] }), ['10.128.0.0', '10.255.255.255', 'any.name'], ['10.127.255.255', '11.0.0.0', '::1', 'fd00::1']],
    ['an IPv6 block', checkNameConstraints({ permitted: ['2001:db8:8000::/33'] }), ['2001:db8:8000::1', '2001:db8:ffff::1'], ['2001:db8:7fff::1', '10.0.0.1']],
    ['blocks of both families', checkNameConstraints({ permitted: ['10.0.0.0/8', 'fd00::/8'] }), ['10.1.1.1', 'fd00::1'], ['192.168.0.1', 'fe80::1']],
    ['an excluded block', checkNameConstraints({ excluded: ['10.9.0.0/16'] }), ['10.8.0.1', '::1'], ['10.9.0.1']],
    ['every address excluded', checkNameConstraints({ permitted: ['example'], excluded: ['0.0.0.0/0', '::/0'] }), ['a.example'], ['10.0.0.1', '::1']],
  ]
  test.each(table)('%s: what we accept, Go and openssl accept, and what we refuse, they refuse', async (title, constraints, inside, outside) => {
    const chains = await Promise.all([...inside, ...outside].map(async (host) => ({ name: host, ...(await chainOf(constraints, [nameOf(host)])) })))
    for (const { name, said } of await judged(chains)) expect(accepts(said), `${title} ${name} ${JSON.stringify(said)}`).toEqual(all(said, () => inside.includes(name)))
  })

  test('we are the stricter where the two differ: a wildcard over an excluded name, a Common Name for a host, names that are none', async () => {
    const excluded = checkNameConstraints({ excluded: ['test.example'] })
    const permitted = checkNameConstraints({ permitted: ['example'] })
    const cases = [
      ['wildcard', await chainOf(excluded, [nameOf('*.example')])],
      ['Common Name', await chainOf(permitted, [], 'alice.org')],
      ['final dot', await chainOf(permitted, [nameOf('a.example.')])],
      ['two dots', await chainOf(permitted, [nameOf('a..example')])],
    ] as const
    const said = Object.fromEntries((await judged(cases.map(([name, chain]) => ({ name, ...chain })))).map((one) => [one.name, one.said]))
    console.info(`name constraints, where judges differ: ${JSON.stringify(said)}`)
    for (const one of Object.values(said)) expect(one['ours serverAuth']).toBe('name-constraints')
    // Whoever accepts one of these is another than who refuses it: neither may be left out.
    if (openssl !== undefined) expect(said['Common Name']!['openssl clientAuth']).toBe('permitted subtree violation')
    if (go !== undefined) expect(said['Common Name']!['Go clientAuth']).toBe('OK')
  })

  test('of the library\'s own authorities hold through an intermediate, each its own and all above', async () => {
    const [rootKeys, keys] = [await keysOf('ecdsa-p256'), await keysOf('ecdsa-p256')]
    const root = await createCa(crypto, { name: 'etcd-ca', signer: rootKeys, validity: caValidity, issues: ['server'], pathLength: 1, nameConstraints: { permitted: ['example', '10.0.0.0/8'] } })
    const below = await createIntermediateCa(root, { name: 'etcd-servers', signer: keys, validity: caValidity, issues: ['server'], nameConstraints: { excluded: ['test.example', '10.9.0.0/16'] } })
    // The same authorities without constraints, to have issued what ours refuse.
    const laxRoot = await createCa(crypto, { name: 'etcd-ca', signer: rootKeys, validity: caValidity, issues: ['server'], pathLength: 1 })
    const lax = await createIntermediateCa(laxRoot, { name: 'etcd-servers', signer: keys, validity: caValidity, issues: ['server'] })
    const csr = await createCsr(crypto, { signer: await keysOf('ecdsa-p256') })
    const hosts = ['a.example', '10.1.1.1', 'a.other', '192.168.0.1', 'fd00::1', 'a.test.example', '10.9.1.1']
    const chains = await Promise.all(hosts.map(async (host) => {
      const issue = (authority: Authority<'server'>) => issueServer(authority, { policy, member: 'etcd-0', hosts: [host], csr, validity })
      const ours = await issue(below).then(() => 'OK', (error: unknown) => (error as { readonly code: string }).code)
      expect(ours, host).toBe(hosts.indexOf(host) < 2 ? 'OK' : 'ERR_NAME_CONSTRAINTS')
      return { name: host, chain: (await issue(lax)).certificate + below.certificate, root: root.certificate }
    }))
    for (const { name, said } of await judged(chains)) expect(accepts(said), `${name} ${JSON.stringify(said)}`).toEqual(all(said, () => hosts.indexOf(name) < 2))
  })
})
