/**
 * Damaged requests, certificates, keys and PEM: nothing crashes, and what is read here is read by openssl, Node and Go as well. Most are changed in their
 * structure and signed again, so that the change is what is judged and not the signature.
 *
 * `npm run fuzz` tries 200,000; `FUZZ_INPUTS` another number, `FUZZ_SEED` the same ones again.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { utf8 } from '../../src/bytes.js'
import { isEtcdRbacError } from '../../src/errors.js'
import { createCa, createCrl, generateKeyPair, inspectCertificate, inspectCrl, openPrivateKey, toDer, verifyCsr, type KeyAlgorithm, type Signer } from '../../src/pki/index.js'
import { readPem, writePem } from '../../src/pki/pem.js'
import { objectIdentifier, sequence, setOf, tagged, taggedPrimitive, tlv, TRUE } from '../../src/pki/asn1/write.js'
import { caValidity, makers, validity } from '../support/certificates.js'
import { encodingOf, treeOf, type DerNode } from '../support/der-tree.js'
import { buildReader, goReads, opensslReads, type Readable } from '../support/foreign-readers.js'
import { goVersion } from '../support/go-build.js'
import { mutateBytes, mutatePem, mutateTree } from '../support/mutate.js'
import { opensslVersion } from '../support/openssl.js'
import { commonName, csrOf, extension, organization } from '../support/pki.js'
import { randomOf, type Random } from '../support/random.js'

const { crypto } = globalThis
const inputs = Number(process.env['FUZZ_INPUTS'] ?? 4_000)
const seed = Number(process.env['FUZZ_SEED'] ?? Math.trunc(Math.random() * 2 ** 31))
const [go, openssl] = [await goVersion(), await opensslVersion()]
console.info(`FUZZ_SEED=${String(seed)} FUZZ_INPUTS=${String(inputs)}; judges: Node, ${openssl ?? 'no openssl'}, ${go ?? 'no Go'}`)

/** What is damaged: `signer` signs it again, where it is signed. */
interface Seed {
  readonly der: Uint8Array
  readonly signer?: Signer
}

interface Damaged {
  readonly name: Readable
  /** Of all inputs, in percent. */
  readonly share: number
  readonly seeds: () => Promise<readonly Seed[]>
  /** Reads it as users do. Refuses by the library's error. */
  readonly read: (pem: string) => Promise<void>
}

const signers = async (): Promise<readonly Signer[]> => Promise.all((['ecdsa-p256', 'ecdsa-p256', 'ecdsa-p384'] as const).map(async (algorithm) => (await generateKeyPair(crypto, algorithm)).signer))

async function csrSeeds(): Promise<readonly Seed[]> {
  const asked = sequence(extension('2.5.29.19', true, sequence(TRUE)), extension('2.5.29.17', false, sequence(taggedPrimitive(2, utf8('a.example.com')))), extension('2.5.29.37', false, sequence(objectIdentifier('1.3.6.1.5.5.7.3.2'))))
  const listed = [sequence(objectIdentifier('1.2.840.113549.1.9.14'), setOf(asked)), sequence(objectIdentifier('1.2.840.113549.1.9.7'), setOf(tlv(0x0c, utf8('secret'))))]
  const attributes = tagged(0, ...listed.sort((a, b) => Buffer.compare(a, b)))
  const made = (await signers()).flatMap((signer) => [csrOf(signer, [[commonName('alice')]]).then((pem) => ({ pem, signer })), csrOf(signer, [[organization('etcd')], [commonName('alice')]], { attributes }).then((pem) => ({ pem, signer }))])
  return (await Promise.all(made)).map(({ pem, signer }) => ({ der: readPem('csr', pem), signer }))
}

async function certificateSeeds(): Promise<readonly Seed[]> {
  const made = makers(crypto)
  const authority = await made.authority('ecdsa-p256')
  const issued = await made.everyKind('ecdsa-p256', 'ecdsa-p256')
  // Whoever signs again is not the authority: readers do not verify.
  const [signer] = await signers()
  return [authority.certificate, ...issued.map(({ certificate }) => certificate)].map((pem) => ({ der: readPem('certificate', pem as never), signer: signer! }))
}

async function crlSeeds(): Promise<readonly Seed[]> {
  const { signer } = await generateKeyPair(crypto, 'ecdsa-p256')
  const authority = await createCa(crypto, { name: 'etcd-ca', signer, validity: caValidity, issues: ['client'] })
  const revoked = (['keyCompromise', undefined, 'superseded'] as const).map((reason, at) => ({ certificate: { serial: `0${String(at + 1)}ff` }, revokedAt: validity.notBefore, ...(reason === undefined ? {} : { reason }) }))
  const lists = await Promise.all([[], revoked.slice(0, 1), revoked].map((some) => createCrl(authority, { revoked: some, number: 7, validity })))
  return lists.map(({ der }) => ({ der, signer }))
}

async function keySeeds(type: 'pkcs8' | 'sec1' | 'pkcs1', ...algorithms: readonly KeyAlgorithm[]): Promise<readonly Seed[]> {
  const pairs = await Promise.all(algorithms.map((algorithm) => generateKeyPair(crypto, algorithm, { extractable: true })))
  return Promise.all(pairs.map(async (pair) => ({ der: Uint8Array.from(createPrivateKey(await pair.exportPkcs8()).export({ format: 'der', type })) })))
}

async function encryptedSeeds(): Promise<readonly Seed[]> {
  const pair = await generateKeyPair(crypto, 'ecdsa-p256', { extractable: true })
  return [{ der: toDer(await pair.exportPkcs8({ passphrase: 'secret', iterations: 100_000 })) }]
}

const openKey = async (pem: string): Promise<void> => void (await openPrivateKey(crypto, pem))

const kinds: readonly Damaged[] = [
  {
    name: 'csr',
    share: 30,
    seeds: csrSeeds,
    read: async (pem) => {
      const { signature, keyProblem } = await verifyCsr(crypto, pem)
      if (signature !== 'valid' || keyProblem !== undefined) throw refusal
    },
  },
  {
    name: 'certificate',
    share: 36,
    seeds: certificateSeeds,
    read: async (pem) => {
      if ((await inspectCertificate(crypto, pem)).keyProblem !== undefined) throw refusal
    },
  },
  { name: 'crl', share: 18, seeds: crlSeeds, read: async (pem) => void (await inspectCrl(crypto, pem)) },
  { name: 'private key', share: 5, seeds: () => keySeeds('pkcs8', 'ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048', 'ed25519'), read: openKey },
  { name: 'ec private key', share: 3, seeds: () => keySeeds('sec1', 'ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521'), read: openKey },
  { name: 'rsa private key', share: 2, seeds: () => keySeeds('pkcs1', 'rsa-2048'), read: openKey },
  { name: 'encrypted private key', share: 1, seeds: encryptedSeeds, read: async (pem) => void (await openPrivateKey(crypto, pem, { passphrase: 'secret' })) },
]
const PEM_SHARE = 5

/** A report that says no, instead of an error. */
const refusal = new Error('refused')

/** Whether it is read. Anything but a refusal of the library fails the test. */
async function isRead(read: () => Promise<void>, what: () => string): Promise<boolean> {
  try {
    await read()
    return true
  } catch (error) {
    if (error === refusal || isEtcdRbacError(error)) return false
    throw new Error(`${what()} was refused by what is no refusal: ${String(error)}`, { cause: error })
  }
}

interface Tally {
  inputs: number
  signedAgain: number
  accepted: number
  judged: number
  /** Of those that are refused here, how many were asked about, and how many others read. */
  asked: number
  readByOthers: number
}
const tallies = new Map<string, Tally>()
const tallyOf = (name: string): Tally => {
  const known = tallies.get(name) ?? { inputs: 0, signedAgain: 0, accepted: 0, judged: 0, asked: 0, readByOthers: 0 }
  tallies.set(name, known)
  return known
}

/** Damages a seed: mostly its structure, then signs it again. */
async function damaged({ der, signer }: Seed, others: readonly DerNode[], random: Random): Promise<{ readonly der: Uint8Array; readonly signedAgain: boolean }> {
  if (random(5) === 0) return { der: mutateBytes(der, random), signedAgain: false }
  const root = treeOf(der)!
  if (signer === undefined) {
    mutateTree(root, others, random)
    return { der: encodingOf(root), signedAgain: false }
  }
  const [body, , signature] = root.children!
  // What is signed is changed; once in a while the algorithm and the signature behind it.
  if (random(12) === 0) mutateTree(root, others, random)
  else {
    mutateTree(body!, others, random)
    signature!.children = undefined
    signature!.content = Buffer.concat([Uint8Array.of(0), await signer.sign(encodingOf(body!))])
  }
  return { der: encodingOf(root), signedAgain: true }
}

/** Lists of version 1, as openssl makes them unless told: read here and by etcd up to 3.5, no longer by the Go of today. */
const isOfOldTools = (name: Readable, reason: string): boolean => name === 'crl' && reason === 'Go: x509: unsupported crl version'

const AT_ONCE = 16
/** How many are made before others are asked: what is kept meanwhile is bounded. */
const CHUNK = 2_000

let reader: string | undefined
beforeAll(async () => {
  reader = go === undefined ? undefined : await buildReader(go)
}, 180_000)

/** What others have against something that is read here, or nothing. */
async function objections(name: Readable, things: readonly Uint8Array[], judges: readonly ('node' | 'openssl' | 'go')[]): Promise<readonly string[]> {
  const pems = things.map((der) => pemOf(name, der))
  const found = things.map(() => '')
  const note = (at: number, reason: string): void => void (found[at] ||= reason)
  if (judges.includes('node')) pems.forEach((pem, at) => note(at, nodeReads(pem)))
  if (judges.includes('go') && reader !== undefined) (await goReads(reader, things.map((der) => ({ kind: name, der })))).forEach((reason, at) => note(at, reason))
  if (judges.includes('openssl') && openssl !== undefined)
    await eachAtOnce(pems, 4, async (pem, at) => {
      note(at, await opensslReads(name, pem))
    })
  return found
}

const labels = { certificate: 'CERTIFICATE', csr: 'CERTIFICATE REQUEST', crl: 'X509 CRL', 'private key': 'PRIVATE KEY', 'ec private key': 'EC PRIVATE KEY', 'rsa private key': 'RSA PRIVATE KEY', 'encrypted private key': 'ENCRYPTED PRIVATE KEY' } as const
const pemOf = (name: Readable, der: Uint8Array): string => `-----BEGIN ${labels[name]}-----\n${Buffer.from(der).toString('base64').replace(/.{1,64}/g, '$&\n')}-----END ${labels[name]}-----\n`

function nodeReads(pem: string): string {
  try {
    return new X509Certificate(pem).raw.length > 0 ? '' : 'Node: empty'
  } catch (error) {
    return `Node: ${String(error)}`
  }
}

async function eachAtOnce<T>(list: readonly T[], atOnce: number, run: (one: T, at: number) => Promise<void>): Promise<void> {
  const entries = list.entries()
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (const [at, one] of entries) await run(one, at)
  }))
}

describe('damaged in every way', () => {
  test.each(kinds)('a $name either is refused by a typed error, or is read by every other reader', async ({ name, share, seeds, read }) => {
    const random = randomOf(seed, name)
    const sources = await seeds()
    for (const { der } of sources) expect(await isRead(() => read(pemOf(name, der)), () => name)).toBe(true)
    const others = sources.map(({ der }) => treeOf(der)!)
    const tally = tallyOf(name)
    const judges = name === 'certificate' ? (['node', 'go'] as const) : name === 'encrypted private key' ? (['openssl'] as const) : (['openssl', 'go'] as const)
    const bad: string[] = []
    const total = Math.ceil((inputs * share) / 100)
    for (let left = total; left > 0; left -= CHUNK) {
      const [accepted, refused]: [Uint8Array[], Uint8Array[]] = [[], []]
      // Made one after the other, so that the seed decides; read several at once.
      const made: { der: Uint8Array; of: Seed }[] = []
      for (let count = Math.min(left, CHUNK); count > 0; count--) {
        const of = sources[random(sources.length)]!
        const { der, signedAgain } = await damaged(of, others, random)
        tally.inputs++
        if (signedAgain) tally.signedAgain++
        made.push({ der, of })
      }
      await eachAtOnce(made, AT_ONCE, async ({ der, of }) => {
        if (Buffer.compare(der, of.der) === 0) return
        const kept = await isRead(() => read(pemOf(name, der)), () => `FUZZ_SEED=${String(seed)}: ${name} ${Buffer.from(der).toString('base64')}`)
        ;(kept ? accepted : refused).push(der)
      })
      // A certificate is judged by openssl too, but not each of them: Node reads it by the same code.
      const said = await objections(name, accepted, judges)
      tally.accepted += accepted.length
      tally.judged += said.length
      said.forEach((reason, at) => {
        if (reason !== '' && !isOfOldTools(name, reason)) bad.push(`${name} ${Buffer.from(accepted[at]!).toString('base64')}: ${reason}`)
      })
      const sample = refused.filter(() => random(100) === 0)
      tally.asked += sample.length
      tally.readByOthers += (await objections(name, sample, judges)).filter((reason) => reason === '').length
    }
    expect(bad.slice(0, 20), `${String(bad.length)} with FUZZ_SEED=${String(seed)}`).toEqual([])
    expect(tally.inputs).toBe(total)
    // A change of what is signed is often to something that is as good.
    if (sources.some(({ signer }) => signer !== undefined)) expect(tally.accepted).toBeGreaterThan(total / 200)
  }, 3_600_000)

  test('a PEM text either is refused by a typed error, or is read by Node as the same certificate', async () => {
    const random = randomOf(seed, 'pem')
    const sources = (await certificateSeeds()).map(({ der }) => writePem('certificate', der))
    const tally = tallyOf('pem')
    for (let left = Math.ceil((inputs * PEM_SHARE) / 100); left > 0; left--) {
      const source = sources[random(sources.length)]!
      const text = mutatePem(source, random)
      tally.inputs++
      if (text === source) continue
      let der: Uint8Array | undefined
      const read = async (): Promise<void> => {
        der = readPem('certificate', text as never)
        // Letters that are missing or changed may still be base64.
        await inspectCertificate(crypto, text)
      }
      const isKept = await isRead(read, () => `FUZZ_SEED=${String(seed)}: ${JSON.stringify(text)}`)
      if (isKept) {
        tally.accepted++
        tally.judged++
        expect(Buffer.from(new X509Certificate(text).raw).equals(der!), `FUZZ_SEED=${String(seed)}: ${JSON.stringify(text)}`).toBe(true)
      } else if (random(100) === 0) {
        tally.asked++
        if (nodeReads(text) === '') tally.readByOthers++
      }
    }
    expect(tally.accepted).toBeGreaterThan(0)
  }, 600_000)

  test('is mostly damage to the structure, signed again', () => {
    const all = [...tallies.values()]
    const sum = (of: (tally: Tally) => number): number => all.reduce((total, tally) => total + of(tally), 0)
    console.table(Object.fromEntries(tallies))
    expect(sum((tally) => tally.signedAgain)).toBeGreaterThan(sum((tally) => tally.inputs) / 2)
    expect(sum((tally) => tally.judged)).toBe(sum((tally) => tally.accepted))
  })
})
