/** Random chains, judged by us, by Go and by openssl: what we accept, both accept, and what both accept we refuse only for reasons that are listed here. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { utf8 } from '../../src/bytes.js'
import { commonNameOnly } from '../../src/pki/asn1/name.js'
import { nameConstraintsValue } from '../../src/pki/asn1/name-constraints.js'
import { readCertificate } from '../../src/pki/asn1/read-certificate.js'
import { namedBits, objectIdentifier, octetString, sequence, smallInteger, taggedPrimitive, TRUE } from '../../src/pki/asn1/write.js'
import { generateKeyPair, type Signer } from '../../src/pki/index.js'
import { checkNameConstraints } from '../../src/pki/name-constraints.js'
import { readPem } from '../../src/pki/pem.js'
import { subtleOf } from '../../src/pki/subtle.js'
import { verifyChain, type ChainProblemCode } from '../../src/pki/verify-chain.js'
import { caValidity, now, validity } from '../support/certificates.js'
import { goVersion } from '../support/go-build.js'
import { buildJudge, judge } from '../support/go-judge.js'
import { openOpenssl, opensslVersion, type Openssl } from '../support/openssl.js'
import { certificateOf, extension } from '../support/pki.js'

/** Reasons for which we refuse what Go and openssl both accept. */
const stricter: Readonly<Partial<Record<ChainProblemCode, string>>> = {
  'key-usage': 'an authority without keyUsage may sign for Go and for openssl unless it is told to be strict; RFC 5280 §4.2.1.3 wants it',
  'authority-as-leaf': 'whoever holds its key could certify any user',
  signature: 'that of a root by itself: both take what is trusted as it is',
}

const { crypto } = globalThis
const [openssl, go] = await Promise.all([opensslVersion(), goVersion()])
if (openssl === undefined || go === undefined) console.warn('random chains: did not run, they need openssl and Go')

const RUNS = Number(process.env['CHAIN_RUNS'] ?? 150)
const SEED = Number(process.env['CHAIN_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** Mostly as it should be, and now and then as it should not. */
const mostly = <T>(good: T, ...odd: readonly T[]): fc.Arbitrary<T> => fc.oneof({ weight: 30, arbitrary: fc.constant(good) }, ...odd.map((value) => ({ weight: 1, arbitrary: fc.constant(value) })))
const authority = fc.record({
  constraints: mostly<'CA' | 'leaf' | 'none'>('CA', 'leaf', 'none'),
  pathLength: fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, { weight: 3, arbitrary: fc.nat(3) }),
  usage: mostly<readonly number[] | undefined>([5, 6], [6], [0, 2, 5], undefined),
  extended: mostly<readonly string[] | undefined>(undefined, ['client'], ['server'], ['client', 'server'], ['any'], ['code'], ['client', 'any']),
  names: mostly<'none' | 'permitted' | 'excluded' | 'other'>('none', 'permitted', 'excluded', 'other'),
})
const common = fc.record({
  dates: mostly<'now' | 'past' | 'future'>('now', 'past', 'future'),
  critical: mostly(false, true),
  signedBy: mostly<'its issuer' | 'another'>('its issuer', 'another'),
  issuerId: mostly<'right' | 'absent' | 'wrong'>('right', 'absent', 'absent', 'wrong'),
})
const leaf = fc.record({
  usage: mostly<readonly number[] | undefined>([0], undefined, [0, 2], [2], [5]),
  extended: mostly<readonly string[] | undefined>(['client', 'server'], ['client'], ['server'], undefined, ['any'], ['code']),
  host: mostly<string | undefined>('a.example', 'b.other', 'x.test.example', undefined),
  isAuthority: mostly(false, true),
})
const spec = fc.record({ leaf, leafCommon: common, above: fc.array(fc.tuple(authority, common), { minLength: 1, maxLength: 4 }), missing: mostly(false, true) })
type Spec = typeof spec extends fc.Arbitrary<infer T> ? T : never

const oids: Readonly<Record<string, string>> = { client: '1.3.6.1.5.5.7.3.2', server: '1.3.6.1.5.5.7.3.1', any: '2.5.29.37.0', code: '1.3.6.1.5.5.7.3.3' }
const dates = { now: caValidity, past: { notBefore: caValidity.notBefore, notAfter: new Date(now.getTime() - 60_000) }, future: { notBefore: new Date(now.getTime() + 3_600_000), notAfter: caValidity.notAfter } }
const keyId = (place: number): Uint8Array => new Uint8Array(20).fill(place + 1)

let keys: readonly Signer[]
/** The certificates of a chain, the leaf first and the root last. */
async function chainOf({ leaf: low, leafCommon, above }: Spec): Promise<readonly string[]> {
  const nameOf = (place: number): Uint8Array => commonNameOnly(place === 0 ? 'alice' : `ca ${String(place)}`)
  const usages = (bits: readonly number[] | undefined) => (bits === undefined ? [] : [extension('2.5.29.15', true, namedBits(bits))])
  const extended = (names: readonly string[] | undefined) => (names === undefined ? [] : [extension('2.5.29.37', false, sequence(...names.map((name) => objectIdentifier(oids[name] ?? ''))))])
  const make = async (place: number, { dates: when, critical, signedBy, issuerId }: Spec['leafCommon'], extensions: readonly Uint8Array[]): Promise<string> => {
    const root = place === above.length
    const issuer = root ? place : place + 1
    const identifier = issuerId === 'absent' ? [] : [extension('2.5.29.35', false, sequence(taggedPrimitive(0, keyId(issuerId === 'right' ? issuer : 9))))]
    return certificateOf({
      by: keys[signedBy === 'another' ? 5 : issuer]!, subject: nameOf(place), issuer: nameOf(issuer), publicKeyDer: keys[place]!.publicKey,
      validity: place === 0 && when === 'now' ? validity : dates[when], extensions: [...extensions, ...identifier, ...(critical ? [extension('1.2.3.4', true, sequence())] : [])],
    })
  }
  const san = low.host === undefined ? [] : [extension('2.5.29.17', false, sequence(taggedPrimitive(2, utf8(low.host))))]
  const bottom = await make(0, leafCommon, [extension('2.5.29.19', true, low.isAuthority ? sequence(TRUE) : sequence()), ...usages(low.usage), ...extended(low.extended), ...san])
  const authorities = above.map(([{ constraints, pathLength, usage, extended: purposes, names }, one], index) => {
    const basic = constraints === 'none' ? [] : [extension('2.5.29.19', true, constraints === 'leaf' ? sequence() : pathLength === undefined ? sequence(TRUE) : sequence(TRUE, smallInteger(pathLength)))]
    const restrict = { none: undefined, permitted: { permitted: ['example'] }, excluded: { excluded: ['test.example'] }, other: { permitted: ['other'] } }[names]
    const restricted = restrict === undefined ? [] : [extension('2.5.29.30', true, nameConstraintsValue(checkNameConstraints(restrict)))]
    return make(index + 1, one, [...basic, ...usages(usage), ...extended(purposes), ...restricted, extension('2.5.29.14', false, octetString(keyId(index + 1)))])
  })
  return [bottom, ...(await Promise.all(authorities))]
}

let folder: Openssl
beforeAll(async () => {
  folder = await openOpenssl()
  keys = await Promise.all(Array.from({ length: 6 }, async () => (await generateKeyPair(crypto, 'ecdsa-p256')).signer))
})
afterAll(() => folder.remove())

if (openssl !== undefined && go !== undefined)
  test('what we accept of random chains, Go and openssl accept, and what both accept, we refuse for a listed reason alone', async () => {
    const binary = await buildJudge(go)
    const specs = fc.sample(spec, { numRuns: RUNS, seed: SEED })
    const chains = await Promise.all(specs.map(async (one) => ({ one, certificates: await chainOf(one) })))
    const parts = chains.map(({ one, certificates }) => ({ certificate: certificates[0]!, authority: certificates.at(-1)!, intermediates: one.missing && certificates.length > 2 ? '' : certificates.slice(1, -1).join(''), hosts: [] }))
    const verdicts = await judge(binary, parts)
    const counted = { chains: chains.length, accepted: 0, 'refused by all': 0, 'refused by us and one': 0, 'refused by us alone': 0 }
    const reasons: Record<string, number> = {}
    for (const [index, { certificate, authority: root, intermediates }] of parts.entries()) {
      const [first, ...others] = [certificate, ...(intermediates.match(/-----BEGIN [^]+?-----END CERTIFICATE-----\n/g) ?? [])].map((pem) => readCertificate(readPem('certificate', pem)))
      const trusted = [readCertificate(readPem('certificate', root))]
      for (const [file, pem] of [['leaf', certificate], ['root', root], ['above', intermediates]] as const) await folder.write(file, pem)
      for (const [usage, purpose] of [['clientAuth', 'sslclient'], ['serverAuth', 'sslserver']] as const) {
        const { problems } = await verifyChain(subtleOf(crypto), { chain: [first!, ...others], trusted, usages: [usage], first: 'leaf', now: new Date() })
        const byGo = verdicts[index]!.unreadable || verdicts[index]!.chain[usage]
        const { output } = await folder.run('verify', '-auth_level', '2', '-purpose', purpose, '-CAfile', 'root', ...(intermediates === '' ? [] : ['-untrusted', 'above']), 'leaf')
        const byOpenssl = output.trim() === 'leaf: OK' ? '' : output
        const told = `seed ${String(SEED)}, chain ${String(index)}, ${usage}: ${JSON.stringify({ ours: problems.map(({ code, at }) => `${code} ${String(at)}`), byGo, byOpenssl, spec: specs[index] })}`
        if (problems.length === 0) {
          counted.accepted++
          expect([byGo, byOpenssl], told).toEqual(['', ''])
        } else if (byGo === '' && byOpenssl === '') {
          counted['refused by us alone']++
          expect(problems.filter(({ code, at }) => stricter[code] === undefined || (code === 'signature' && at !== others.length + 1)), told).toEqual([])
        } else counted[byGo !== '' && byOpenssl !== '' ? 'refused by all' : 'refused by us and one']++
        for (const { code } of problems) reasons[code] = (reasons[code] ?? 0) + 1
      }
    }
    console.info(`random chains, seed ${String(SEED)}: ${JSON.stringify({ ...counted, reasons })}`)
    // A generator that makes only bad ones, or only good ones, would prove nothing.
    expect(counted.accepted).toBeGreaterThan(RUNS / 10)
    expect(counted['refused by all']).toBeGreaterThan(RUNS / 10)
  })
