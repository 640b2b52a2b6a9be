/** openssl and Go judge the revocation lists that we make, and what openssl makes is read and gone on with. Go judges which requests can be read. */
import { beforeAll, afterAll, describe, expect, test } from 'vitest'
import { isCi } from '../../scripts/fetch-etcd.mjs'
import { isEtcdRbacError } from '../../src/errors.js'
import { crlReasons } from '../../src/pki/asn1/crl.js'
import { readCsr } from '../../src/pki/asn1/csr.js'
import { readCrl } from '../../src/pki/asn1/read-crl.js'
import { namedBits, objectIdentifier, sequence, setOf, smallInteger, tagged, taggedPrimitive, tlv, TRUE } from '../../src/pki/asn1/write.js'
import { createCa, createCrl, createCsr, days, generateKeyPair, inspectCrl, issueClient, updateCrl, verifyCsr, type KeyAlgorithm, type Revocation, type RevocationReason } from '../../src/pki/index.js'
import { readPem, writePem } from '../../src/pki/pem.js'
import { caValidity, now, policy, validity } from '../support/certificates.js'
import { goVersion } from '../support/go-build.js'
import { buildJudge, judgeLists, judgeRequests } from '../support/go-judge.js'
import { openOpenssl, opensslVersion, type Openssl } from '../support/openssl.js'
import { commonName, csrOf, extension } from '../support/pki.js'

const { crypto } = globalThis
/** Numbers from 0 to 1 that a seed gives again (xorshift). */
function randomOf(seed: number): () => number {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

const MUTANTS = 10_000

/** Of many copies with one byte changed, in half of them by a bit, those that are read. The signature is left alone: of it any byte is as good. */
function mutants(der: Uint8Array, isRead: (changed: Uint8Array) => boolean): readonly Uint8Array[] {
  const seed = Number(process.env['MUTANTS_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  const random = randomOf(seed)
  const accepted: Uint8Array[] = []
  for (let i = 0; i < MUTANTS; i++) {
    const at = Math.floor(random() * (der.length - 70))
    const changed = Uint8Array.from(der)
    changed[at] = random() < 0.5 ? (der[at] ?? 0) ^ (1 << Math.floor(random() * 8)) : Math.floor(random() * 256)
    if (changed[at] === der[at]) continue
    try {
      if (isRead(changed)) accepted.push(changed)
    } catch (error) {
      if (!isEtcdRbacError(error, 'ERR_DER_INVALID')) throw error
    }
  }
  console.info(`copies of which a byte was changed (MUTANTS_SEED=${String(seed)}): ${String(MUTANTS)}, read and judged ${String(accepted.length)}`)
  return accepted
}

const version = await opensslVersion()
if (version === undefined) console.warn('openssl on revocation lists: did not run, there is none here')
const go = await goVersion()
if (go === undefined) console.warn('Go on revocation lists: did not run, there is no Go here')
console.info(`revocation lists judged by ${[version, go].filter((one) => one !== undefined).join(' and ') || 'nobody'}`)

test('openssl is here to judge, where CI runs', () => {
  if (isCi()) expect(version).toBeDefined()
})

const algorithms = ['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048', 'ed25519'] as const
const reasons: readonly (RevocationReason | undefined)[] = [undefined, 'keyCompromise', 'cACompromise', 'affiliationChanged', 'superseded', 'cessationOfOperation', 'privilegeWithdrawn', 'aACompromise']

/** An authority, its key, and one certificate for each reason. */
async function world(algorithm: KeyAlgorithm) {
  const keys = await generateKeyPair(crypto, algorithm, { extractable: true })
  const authority = await createCa(crypto, { name: 'etcd-clients', signer: keys.signer, validity: caValidity, issues: ['client'] })
  const csr = await createCsr(crypto, { signer: (await generateKeyPair(crypto, 'ecdsa-p256')).signer })
  const issued = await Promise.all(reasons.map((_, index) => issueClient(authority, { policy, user: 'alice', label: `node-${String(index)}`, csr, validity })))
  const revoked = issued.map(({ record }, index): Revocation => {
    const reason = reasons[index]
    return { certificate: record, revokedAt: now, ...(reason === undefined ? {} : { reason }) }
  })
  const { certificate } = await issueClient(authority, { policy, user: 'alice', csr, validity })
  return { key: await keys.exportPkcs8(), authority, issued, revoked, good: certificate }
}
const worlds = new Map(await Promise.all(algorithms.map(async (algorithm) => [algorithm, await world(algorithm)] as const)))
const worldOf = (algorithm: KeyAlgorithm) => worlds.get(algorithm as 'ecdsa-p256') as Awaited<ReturnType<typeof world>>
const flipped = (der: Uint8Array): Uint8Array => der.map((byte, index) => (index === der.length - 1 ? byte ^ 1 : byte))
const week = days(7).from(now)


if (version !== undefined)
  describe('openssl', () => {
    let openssl: Openssl
    beforeAll(async () => {
      openssl = await openOpenssl()
    })
    afterAll(async () => {
      await openssl.remove()
    })
    const verify = async (): Promise<string> => (await openssl.run('crl', '-in', 'crl.pem', '-CAfile', 'ca.pem', '-noout')).output.trim()
    const check = async (file: string): Promise<string> => {
      const { output } = await openssl.run('verify', '-x509_strict', '-crl_check', '-CAfile', 'ca.pem', '-CRLfile', 'crl.pem', file)
      const [, wrong, fine] = /^(?:error \d+ at 0 depth lookup: (.*)|\S+: (OK))$/m.exec(output) ?? []
      return wrong ?? fine ?? output
    }

    test.each(algorithms)('verifies a list by %s, refuses what is on it, and lets pass what is not', async (algorithm) => {
      const { authority, issued, revoked, good } = worldOf(algorithm)
      const made = await createCrl(authority, { revoked, validity: week, number: 258 })
      await openssl.write('ca.pem', authority.certificate)
      await openssl.write('crl.pem', made.pem)
      expect(await verify()).toBe('verify OK')
      await openssl.write('good', good)
      expect(await check('good')).toBe('OK')
      for (const { certificate } of issued) {
        await openssl.write('revoked', certificate)
        expect(await check('revoked')).toBe('certificate revoked')
      }
      await openssl.must('crl', '-in', 'crl.pem', '-text', '-noout', '-out', 'text')
      const text = await openssl.read('text')
      for (const said of ['Version 2', 'Issuer: CN = etcd-clients', 'X509v3 CRL Number', '258', 'X509v3 Authority Key Identifier', 'Key Compromise', 'Superseded', 'Cessation Of Operation', 'Privilege Withdrawn']) expect(text.replaceAll('CN=', 'CN = ')).toContain(said)
      expect(text).not.toContain('Unspecified')
      // The next one, its entries dropped, is as good.
      await openssl.write('crl.pem', (await updateCrl(authority, made.der, { validity: week })).pem)
      expect([await verify(), await check('revoked')]).toEqual(['verify OK', 'certificate revoked'])
      await openssl.write('crl.pem', (await createCrl(authority, { revoked: [], validity: week })).pem)
      expect([await verify(), await check('revoked')]).toEqual(['verify OK', 'OK'])
      await openssl.write('crl.pem', writePem('crl', flipped(made.der)))
      expect(await verify()).not.toBe('verify OK')
    })

    test.each([
      [2, 'with a number', [['0A', undefined], ['0B', 'keyCompromise'], ['1C', 'certificateHold']]],
      [1, 'without', [['0A', undefined]]],
    ] as const)('makes a list of version %i, %s, that is read and gone on with', async (found, _, entries) => {
      const { key, authority } = worldOf('ecdsa-p256')
      await openssl.write('ca.pem', authority.certificate)
      await openssl.write('ca.key', key)
      const date = (time: Date): string => `${time.toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`
      const lines = entries.map(([serial, reason]) => `R\t${date(validity.notAfter)}\t${date(now)}${reason === undefined ? '' : `,${reason}`}\t${serial}\tunknown\t/CN=alice\n`)
      await openssl.write('index.txt', lines.join(''))
      await openssl.write('crlnumber', '0A\n')
      // A number makes it version 2.
      const numbered = found === 2 ? ['crlnumber=crlnumber', 'crl_extensions=v2'] : []
      await openssl.write('ca.cnf', ['[ca]', 'default_ca=d', '[d]', 'database=index.txt', 'default_md=sha256', 'default_crl_days=3', ...numbered, '[v2]', 'authorityKeyIdentifier=keyid', ''].join('\n'))
      await openssl.must('ca', '-gencrl', '-config', 'ca.cnf', '-keyfile', 'ca.key', '-cert', 'ca.pem', '-out', 'crl.pem')
      const pem = await openssl.read('crl.pem')
      const wanted = entries.map(([serial, reason]) => [serial.toLowerCase(), reason])
      const read = await inspectCrl(crypto, pem, { issuer: authority.certificate })
      expect([read.version, read.signature, read.number, read.revoked.map(({ serial, reason }) => [serial, reason])]).toEqual([found, 'valid', found === 2 ? '10' : undefined, wanted])
      const later = days(7).from(new Date(Date.parse(read.thisUpdate) + 1000))
      const next = await updateCrl(authority, pem, { validity: later })
      expect([next.number, next.revoked.map(({ serial, reason }) => [serial, reason])]).toEqual([found === 2 ? '11' : '1', wanted])
      await openssl.write('crl.pem', next.pem)
      expect(await verify()).toBe('verify OK')
    })
  })

if (go !== undefined)
  describe('Go', () => {
    let binary: string
    beforeAll(async () => {
      binary = await buildJudge(go)
    })

    test.each(algorithms)('reads in a list by %s what was meant, and no RFC objects', async (algorithm) => {
      const { authority, revoked } = worldOf(algorithm)
      const made = await createCrl(authority, { revoked, validity: week, number: 258 })
      const lists = [made, await createCrl(authority, { revoked: [], validity: week }), await createCrl(authority, { revoked, validity: { notBefore: now, notAfter: authority.notAfter } })]
      const [first, ...others] = await judgeLists(binary, [...lists.map(({ pem }) => pem as string), writePem('crl', flipped(made.der))].map((list) => ({ list, authority: authority.certificate })))
      const seconds = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`
      expect(first).toMatchObject({
        unreadable: '',
        list: {
          number: '258', thisUpdate: seconds(now), nextUpdate: seconds(week.notAfter), signature: '', keyIdOfAuthority: true, findings: [],
          revoked: revoked.map(({ certificate, reason }) => ({ serial: certificate.serial, revokedAt: seconds(now), reason: reason === undefined ? 0 : crlReasons[reason] })),
        },
      })
      expect(first?.lintsApplied).toBeGreaterThan(3)
      expect(others.map((verdict) => [verdict.list?.signature === '', verdict.list?.findings])).toEqual([[true, []], [true, []], [false, []]])
    })

    test('reads each list of which a byte was changed, and which is read here all the same', async () => {
      const { authority, revoked } = worldOf('ecdsa-p256')
      const { der } = await createCrl(authority, { revoked, validity: week, number: 258 })
      const accepted = mutants(der, (changed) => readCrl(changed).version === 2).map((changed) => writePem('crl', changed))
      const verdicts = await judgeLists(binary, accepted.map((list) => ({ list, authority: authority.certificate })))
      expect(accepted.length).toBeGreaterThan(100)
      expect([...new Set(verdicts.map(({ unreadable }) => unreadable))]).toEqual([''])
    })

    test.each(['ecdsa-p256', 'rsa-2048', 'ed25519'] as const)('reads each request of %s of which a byte was changed, and which is read here all the same', async (algorithm) => {
      const { signer } = await generateKeyPair(crypto, algorithm)
      const san = extension('2.5.29.17', false, sequence(...[[1, 'a@b'], [2, 'h.example'], [6, 'spiffe://h/x?y#z']].map(([tag, text]) => taggedPrimitive(tag as number, new TextEncoder().encode(text as string))), taggedPrimitive(7, new Uint8Array(4))))
      const wishes = sequence(extension('2.5.29.19', true, sequence(TRUE, smallInteger(1))), extension('2.5.29.15', true, namedBits([5])), extension('2.5.29.37', false, sequence(objectIdentifier('1.3.6.1.5.5.7.3.1'))), san, extension('1.2.3', true, sequence()))
      const attributes = tagged(0, sequence(objectIdentifier('1.2.840.113549.1.9.14'), setOf(wishes)))
      const csr = await csrOf(signer, [[commonName('alice')]], { attributes })
      const accepted = mutants(readPem('csr', csr), (changed) => readCsr(changed).publicKey.ok).map((changed) => writePem('csr', changed))
      const verdicts = await judgeRequests(binary, accepted)
      expect(accepted.length).toBeGreaterThan(100)
      // Whether a point lies on its curve shows here when the signature is verified, as it always is.
      expect([...new Set(verdicts.map(({ unreadable }) => unreadable))].filter((reason) => reason !== 'P256 point not on curve')).toEqual([''])
    })

    describe('reads each request that is not refused here for its form:', async () => {
      const { signer } = await generateKeyPair(crypto, 'ecdsa-p256')
      const asking = (...extensions: readonly Uint8Array[]) => sequence(objectIdentifier('1.2.840.113549.1.9.14'), setOf(sequence(...extensions)))
      const san = (...names: readonly Uint8Array[]) => asking(extension('2.5.29.17', false, sequence(...names)))
      const name = (tag: number, text: string) => taggedPrimitive(tag, new TextEncoder().encode(text))
      const cases: readonly (readonly [title: string, readable: boolean, attributes: readonly Uint8Array[]])[] = [
        ['no wish', true, []],
        ['a host', true, [san(name(2, 'etcd-0.example'))]],
        ['addresses', true, [san(taggedPrimitive(7, new Uint8Array(4)), taggedPrimitive(7, new Uint8Array(16)))]],
        ['an address of five octets', false, [san(taggedPrimitive(7, new Uint8Array(5)))]],
        ['a host beyond ASCII', false, [san(name(2, 'é'))]],
        ['an e-mail address beyond ASCII', false, [san(name(1, 'é@x'))]],
        ...['urn:etcd-rbac:label:node-1', 'spiffe://example.org/ns/x', 'https://u@h.example:2379/a%20b?c=d#e', 'tag:x', 'a:b', 'x:/y', 'x://h:1', 'x://h_1/'].map((text) => [`the URI ${text}`, true, [san(name(6, text))]] as const),
        ...['//x', 'a b', 'urn:a b', 'urn:x%4', 'spiffe://a..b/x', 'x://h:y/', ':x', 'x://a%20b/', 'x://h./'].map((text) => [`the URI ${text}`, false, [san(name(6, text))]] as const),
        ['an extension twice', false, [asking(extension('2.5.29.17', false, sequence(name(2, 'a'))), extension('2.5.29.17', false, sequence(name(2, 'b'))))]],
        ['an authority', true, [asking(extension('2.5.29.19', true, sequence(TRUE)), extension('2.5.29.15', true, namedBits([5])), extension('2.5.29.37', false, sequence(objectIdentifier('1.3.6.1.5.5.7.3.1'))))]],
        ['an unknown critical extension', true, [asking(extension('1.2.3.4', true, sequence()))]],
        ['a password', true, [sequence(objectIdentifier('1.2.840.113549.1.9.7'), setOf(tlv(0x0c, new TextEncoder().encode('secret'))))]],
        ['an extension that is a number', false, [asking(smallInteger(1))]],
      ]
      test.each(cases)('%s', async (_, readable, attributes) => {
        const csr = await csrOf(signer, [[commonName('alice')]], { attributes: tagged(0, ...attributes) })
        const ours = await verifyCsr(crypto, csr).then(({ signature }) => signature, (error: unknown) => (isEtcdRbacError(error, 'ERR_DER_INVALID') ? 'refused' : Promise.reject(error as Error)))
        expect(ours).toBe(readable ? 'valid' : 'refused')
        const [verdict] = await judgeRequests(binary, [csr])
        // Stricter than Go is no harm, laxer is.
        if (readable) expect(verdict).toMatchObject({ unreadable: '', request: { commonName: 'alice', signature: '' } })
      })

      test('and Go refuses what is refused here, but for URIs that only RFC 3986 refuses: the rules are not made up', async () => {
        const refused = await Promise.all(cases.filter(([, readable]) => !readable).map(async ([title, , attributes]) => [title, await csrOf(signer, [[commonName('alice')]], { attributes: tagged(0, ...attributes) })] as const))
        const verdicts = await judgeRequests(binary, refused.map(([, csr]) => csr))
        expect(refused.map(([title]) => title).filter((_, index) => verdicts[index]?.unreadable === '')).toEqual(['//x', 'a b', 'urn:a b', 'urn:x%4'].map((text) => `the URI ${text}`))
      })
    })
  })
