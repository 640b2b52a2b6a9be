/** openssl judges what we issue, and what openssl makes is taken or refused for the right reason. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isCi } from '../../scripts/fetch-etcd.mjs'
import type { ErrorCode } from '../../src/errors.js'
import { createCsr, days, generateKeyPair, inspectCertificate, issueClient, openCa, openPrivateKey, verifyCsr, createCa, type KeyAlgorithm } from '../../src/pki/index.js'
import { writePem, readPem } from '../../src/pki/pem.js'
import { caValidity, combinations, keyAlgorithms, kindNames, kinds, largeCombinations, makers, now, policy, validity } from '../support/certificates.js'
import { openOpenssl, opensslVersion, type Openssl } from '../support/openssl.js'
import { lanes, rejected } from '../support/pki.js'

const version = await opensslVersion()
if (version === undefined) console.warn('openssl: did not run, there is none here')
else console.info(`judged by ${version}`)

test('openssl is here to judge, where CI runs', () => {
  if (isCi()) expect(version).toBeDefined()
})

/** The kinds of key that openssl makes and the library takes; each key once, in a file named after it. */
const sizes: Readonly<Record<KeyAlgorithm, readonly [family: string, ...size: readonly string[]]>> = {
  'ecdsa-p256': ['EC', 'ec_paramgen_curve:P-256'],
  'ecdsa-p384': ['EC', 'ec_paramgen_curve:P-384'],
  'ecdsa-p521': ['EC', 'ec_paramgen_curve:P-521'],
  'rsa-2048': ['RSA', 'rsa_keygen_bits:2048'],
  'rsa-3072': ['RSA', 'rsa_keygen_bits:3072'],
  'rsa-4096': ['RSA', 'rsa_keygen_bits:4096'],
  ed25519: ['ED25519'],
}
const sized = Object.keys(sizes) as readonly KeyAlgorithm[]

let openssl: Openssl
beforeAll(async () => {
  openssl = await openOpenssl()
  if (version !== undefined) await Promise.all(sized.map((name) => newKey(name, ...sizes[name])))
})
afterAll(async () => {
  await openssl.remove()
})

async function newKey(file: string, algorithm: string, ...options: readonly string[]): Promise<void> {
  await openssl.must('genpkey', '-algorithm', algorithm, ...options.flatMap((option) => ['-pkeyopt', option]), '-out', file)
}

const verify: Openssl['verify'] = (...args) => openssl.verify(...args)

const flipped = (der: Uint8Array): Uint8Array => der.map((byte, index) => (index === der.length - 1 ? byte ^ 1 : byte))

if (version !== undefined) {
  describe.each(lanes)('of what is made with %s', (lane, crypto) => {
    const made = makers(crypto)
    const all = crypto === globalThis.crypto ? [...combinations, ...largeCombinations] : combinations
    const algorithms = crypto === globalThis.crypto ? keyAlgorithms : keyAlgorithms.filter((algorithm) => !/^rsa-[34]/.test(algorithm))

    test.each(all)('openssl verifies each kind of certificate by an authority of %s over a key of %s for its own purpose alone', async (by, leaf) => {
      const authority = await made.authority(by)
      const issued = await made.everyKind(by, leaf)
      await openssl.write('ca.pem', authority.certificate)
      for (const { name, certificate } of issued) await openssl.write(name, certificate)
      const names = issued.map(({ name }) => name)
      for (const [purpose, usage] of [['sslserver', 'serverAuth'], ['sslclient', 'clientAuth']] as const) {
        const answers = await verify(names, '-purpose', purpose, '-CAfile', 'ca.pem')
        const wanted = Object.fromEntries(issued.map(({ name, kind }) => [name, kind.usages.includes(usage) ? 'OK' : (expect.stringMatching(/^uns\w+ certificate purpose$/) as string)]))
        expect(answers).toEqual(wanted)
      }
      expect(await verify(['ca.pem'], '-CAfile', 'ca.pem')).toEqual({ 'ca.pem': 'OK' })
    })

    test.each(algorithms)('openssl accepts CSRs and exported private keys of %s', async (algorithm) => {
      const keys = await made.key(algorithm)
      const { signer } = keys
      const csrs = [await createCsr(crypto, { signer }), await createCsr(crypto, { signer, commonName: 'naïve ✓' })]
      const changed = writePem('csr', flipped(readPem('csr', csrs[0] ?? '')))
      for (const csr of [...csrs, changed]) {
        await openssl.write('csr.pem', csr)
        const { output } = await openssl.run('req', '-in', 'csr.pem', '-verify', '-noout')
        expect(output.includes('verify OK'), output).toBe(csr !== changed)
      }
      await openssl.write('encrypted.pem', await keys.exportPkcs8({ passphrase: 'naïve ✓', iterations: 100_000 }))
      expect((await openssl.run('pkey', '-in', 'encrypted.pem', '-passin', 'pass:naïve ✓', '-check', '-noout')).output).toContain('Key is valid')
      expect((await openssl.run('pkey', '-in', 'encrypted.pem', '-passin', 'pass:naive', '-noout')).ok).toBe(false)
      await openssl.write('key.pem', await keys.exportPkcs8())
      expect((await openssl.run('pkey', '-in', 'key.pem', '-check', '-noout')).output).toContain('Key is valid')
      await openssl.must('pkey', '-in', 'key.pem', '-pubout', '-out', 'public.pem')
      await openssl.must('req', '-in', 'csr.pem', '-pubkey', '-noout', '-out', 'csr-public.pem')
      expect(await openssl.read('csr-public.pem')).toBe(await openssl.read('public.pem'))
    })

    test('openssl finds the hosts of a member, and no other', async () => {
      const [{ certificate } = { certificate: '' }] = await made.everyKind('ecdsa-p256', 'ecdsa-p256')
      await openssl.write('server', certificate)
      await openssl.write('ca.pem', (await made.authority('ecdsa-p256')).certificate)
      for (const [flag, host, reason] of [
        ['-verify_ip', '10.0.0.10', 'OK'],
        ['-verify_ip', 'fd00::10', 'OK'],
        ['-verify_ip', '::1', 'OK'],
        ['-verify_hostname', 'etcd-0.example.com', 'OK'],
        ['-verify_hostname', 'localhost', 'OK'],
        ['-verify_ip', '10.0.0.11', 'IP address mismatch'],
        ['-verify_hostname', '10.0.0.10', 'hostname mismatch'],
        ['-verify_hostname', 'etcd-1.example.com', 'hostname mismatch'],
        ['-verify_hostname', 'etcd-0', 'hostname mismatch'],
      ] as const)
        expect(await verify(['server'], '-CAfile', 'ca.pem', flag, host), host).toEqual({ server: expect.stringMatching(new RegExp(`^${reason}$`, 'i')) as string })
    })

    test('openssl refuses a certificate of another authority of the same name, and one of which a bit was changed', async () => {
      const csr = await createCsr(crypto, { signer: (await made.key('ecdsa-p256')).signer })
      const impostor = await createCa(crypto, { name: 'etcd-ca', signer: (await generateKeyPair(crypto, 'ecdsa-p256')).signer, validity: caValidity, issues: ['client', 'server', 'peer'] })
      const authority = await made.authority('ecdsa-p256')
      await openssl.write('ca.pem', authority.certificate)
      await openssl.write('foreign', (await kinds.client.issue(impostor, csr)).certificate)
      const { certificate } = await kinds.client.issue(authority, csr)
      await openssl.write('changed', writePem('certificate', flipped(readPem('certificate', certificate))))
      await openssl.write('whole', certificate)
      expect(await verify(['foreign', 'changed', 'whole'], '-CAfile', 'ca.pem')).toEqual({
        foreign: 'unable to get local issuer certificate',
        changed: 'certificate signature failure',
        whole: 'OK',
      })
    })

    test('openssl reads a name in the order and with the bytes that the policy has', async () => {
      for (const { name, certificate, kind } of await made.everyKind('ecdsa-p256', 'ecdsa-p256')) {
        await openssl.write('leaf', certificate)
        const { output } = await openssl.run('x509', '-in', 'leaf', '-noout', '-subject', '-nameopt', 'RFC2253,-esc_msb,utf8')
        expect(output.trim(), name).toBe(kind.commonName === undefined ? 'subject=' : `subject=CN=${kind.commonName}`)
      }
    })

    describe('and of what openssl makes,', () => {
      const newCsr = async (subject: string, key: string, ...args: readonly string[]): Promise<string> => {
        await openssl.must('req', '-new', '-utf8', '-key', key, '-subj', subject, ...args, '-out', 'foreign.csr')
        return openssl.read('foreign.csr')
      }
      const issueAlice = async (csr: string) => issueClient(await made.authority('ecdsa-p256'), { policy, user: 'alice', csr, validity })

      test.each(sized)('a CSR and a private key of %s are taken', async (algorithm) => {
        const issued = await issueAlice(await newCsr('/CN=alice', algorithm))
        expect(issued.record).toMatchObject({ user: 'alice', keyAlgorithm: algorithm })
        await openssl.write('issued', issued.certificate)
        await openssl.write('ca.pem', (await made.authority('ecdsa-p256')).certificate)
        expect(await verify(['issued'], '-purpose', 'sslclient', '-CAfile', 'ca.pem')).toEqual({ issued: 'OK' })

        const pem = await openssl.read(algorithm)
        const opened = await openPrivateKey(crypto, pem, { extractable: true })
        expect(opened.algorithm).toBe(algorithm)
        expect(await opened.exportPkcs8()).toBe(pem)
        await openssl.write('again.csr', await createCsr(crypto, { signer: opened.signer }))
        expect((await openssl.run('req', '-in', 'again.csr', '-verify', '-noout')).output).toContain('verify OK')
      })

      test.each(['sha256', 'sha384', 'sha512'])('a CSR signed over %s is taken, whatever the key', async (hash) => {
        for (const key of ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048']) await issueAlice(await newCsr('/CN=alice', key, `-${hash}`))
      })

      test('a CSR without name is taken, and a name beyond ASCII is compared by its characters, whatever its encoding', async () => {
        expect((await issueAlice(await newCsr('/', 'ecdsa-p256'))).commonName).toBe('alice')
        const name = 'naïve ✓'
        const csrs = [await newCsr(`/CN=${name}`, 'ecdsa-p256')]
        await openssl.write('wide.cnf', '[req]\ndistinguished_name = none\nstring_mask = MASK:0x800\n[none]\n')
        csrs.push(await newCsr(`/CN=${name}`, 'ecdsa-p256', '-config', 'wide.cnf'))
        const encodings = csrs.map((csr) => readPem('csr', csr)).map((der) => Buffer.from(der).includes(Buffer.from(name)))
        expect(encodings).toEqual([true, false])
        for (const csr of csrs) expect((await issueClient(await made.authority('ecdsa-p256'), { policy, user: name, csr, validity })).commonName).toBe(name)
      })

      test('of a CSR that asks for more, only the key is taken', async () => {
        const wishes = ['basicConstraints=critical,CA:TRUE', 'keyUsage=keyCertSign', 'extendedKeyUsage=serverAuth', 'subjectAltName=DNS:etcd-0.example.com']
        const csr = await newCsr('/O=system:masters/CN=alice+OU=root', 'ecdsa-p256', ...wishes.flatMap((wish) => ['-addext', wish]))
        expect((await verifyCsr(crypto, csr)).ignored.toSorted()).toEqual([
          'extension basicConstraints', 'extension extKeyUsage', 'extension keyUsage', 'extension subjectAltName', 'subject organizationName', 'subject organizationalUnitName',
        ])
        await openssl.write('issued', (await issueAlice(csr)).certificate)
        const { output } = await openssl.run('x509', '-in', 'issued', '-noout', '-subject', '-nameopt', 'RFC2253', '-ext', 'basicConstraints,keyUsage,extendedKeyUsage,subjectAltName')
        const said = output.split('\n').map((line) => line.trim()).filter((line) => /^(?:subject=|CA:|DNS:|TLS |Digital|Certificate Sign)/.test(line))
        expect(said).toEqual(['subject=CN=alice', 'CA:FALSE', 'Digital Signature', 'TLS Web Client Authentication'])
      })

      const refusals: readonly (readonly [title: string, code: ErrorCode, make: () => Promise<string>])[] = [
        ['another Common Name', 'ERR_CSR_COMMON_NAME', () => newCsr('/CN=root', 'ecdsa-p256')],
        ['another case of the Common Name', 'ERR_CSR_COMMON_NAME', () => newCsr('/CN=Alice', 'ecdsa-p256')],
        ['a space behind the Common Name', 'ERR_CSR_COMMON_NAME', () => newCsr('/CN=alice ', 'ecdsa-p256')],
        ['two Common Names, the right one first', 'ERR_CSR_COMMON_NAME', () => newCsr('/CN=alice/CN=root', 'ecdsa-p256')],
        ['two Common Names, the right one last', 'ERR_CSR_COMMON_NAME', () => newCsr('/CN=root/CN=alice', 'ecdsa-p256')],
        ['the right Common Name twice', 'ERR_CSR_COMMON_NAME', () => newCsr('/CN=alice/CN=alice', 'ecdsa-p256')],
        ['two Common Names in one part', 'ERR_CSR_COMMON_NAME', () => newCsr('/CN=alice+CN=root', 'ecdsa-p256', '-multivalue-rdn')],
        ['another Common Name in one part with something else', 'ERR_CSR_COMMON_NAME', () => newCsr('/UID=alice+CN=root', 'ecdsa-p256', '-multivalue-rdn')],
        ['RSA of 1024 bits', 'ERR_CSR_KEY', () => weak('RSA', 'rsa_keygen_bits:1024')],
        ['RSA with exponent 3', 'ERR_CSR_KEY', () => weak('RSA', 'rsa_keygen_bits:2048', 'rsa_keygen_pubexp:3')],
        ['RSA-PSS', 'ERR_CSR_KEY', () => weak('RSA-PSS', 'rsa_keygen_bits:2048')],
        ['P-224', 'ERR_CSR_KEY', () => weak('EC', 'ec_paramgen_curve:P-224')],
        ['secp256k1', 'ERR_CSR_KEY', () => weak('EC', 'ec_paramgen_curve:secp256k1')],
        ['P-256 with its parameters spelled out', 'ERR_CSR_KEY', () => weak('EC', 'ec_paramgen_curve:P-256', 'ec_param_enc:explicit')],
        ['Ed448', 'ERR_CSR_KEY', () => weak('ED448')],
        ['a compressed point', 'ERR_CSR_KEY', async () => {
          await openssl.must('ec', '-in', 'ecdsa-p256', '-conv_form', 'compressed', '-out', 'weak.key')
          return newCsr('/CN=alice', 'weak.key')
        }],
        ['a signature of which a bit was changed', 'ERR_CSR_SIGNATURE', async () => writePem('csr', flipped(readPem('csr', await newCsr('/CN=alice', 'ecdsa-p256'))))],
        ['a signature over SHA-1', 'ERR_CSR_SIGNATURE', () => newCsr('/CN=alice', 'ecdsa-p256', '-sha1')],
        ['an RSA signature over SHA-1', 'ERR_CSR_SIGNATURE', () => newCsr('/CN=alice', 'rsa-2048', '-sha1')],
        ['an RSA signature with PSS padding', 'ERR_CSR_SIGNATURE', () => newCsr('/CN=alice', 'rsa-2048', '-sigopt', 'rsa_padding_mode:pss')],
        ['text before its block', 'ERR_PEM_INVALID', () => newCsr('/CN=alice', 'ecdsa-p256', '-text')],
        ['the old label', 'ERR_PEM_INVALID', () => newCsr('/CN=alice', 'ecdsa-p256', '-newhdr')],
      ]
      async function weak(algorithm: string, ...options: readonly string[]): Promise<string> {
        await newKey('weak.key', algorithm, ...options)
        return newCsr('/CN=alice', 'weak.key')
      }

      test.each(refusals)('a CSR with %s is refused: %s', async (_, code, make) => {
        const csr = await make()
        await rejected(code, issueAlice(csr))
      })

      test.each([
        ['P-224', 'ERR_ALGORITHM_UNSUPPORTED', ['EC', 'ec_paramgen_curve:P-224']],
        ['secp256k1', 'ERR_ALGORITHM_UNSUPPORTED', ['EC', 'ec_paramgen_curve:secp256k1']],
        ['P-256 with its parameters spelled out', 'ERR_ALGORITHM_UNSUPPORTED', ['EC', 'ec_paramgen_curve:P-256', 'ec_param_enc:explicit']],
        ['RSA of 1024 bits', 'ERR_ALGORITHM_UNSUPPORTED', ['RSA', 'rsa_keygen_bits:1024']],
        ['RSA-PSS', 'ERR_ALGORITHM_UNSUPPORTED', ['RSA-PSS', 'rsa_keygen_bits:2048']],
        ['Ed448', 'ERR_ALGORITHM_UNSUPPORTED', ['ED448']],
      ] as const)('a private key of %s is refused: %s', async (_, code, [algorithm, ...options]) => {
        await newKey('weak.key', algorithm, ...options)
        await rejected(code, openPrivateKey(crypto, await openssl.read('weak.key')))
      })

      const convert = ['pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA256', '-iter', '2048'] as const
      const PASSPHRASE = 'naïve ✓'
      const passes = ['-passin', `pass:${PASSPHRASE}`, '-passout', `pass:${PASSPHRASE}`] as const

      test.each<[string, string, readonly string[]]>([
        ...sized.map((key): [string, string, readonly string[]] => ['encrypted as openssl does unless told', key, ['pkey', '-aes256']]),
        ...(['aes-128-cbc', 'aes-192-cbc', 'aes-256-cbc'] as const).flatMap((cipher) =>
          (['hmacWithSHA1', 'hmacWithSHA256', 'hmacWithSHA384', 'hmacWithSHA512'] as const).map((prf): [string, string, readonly string[]] => [`encrypted by ${cipher} with ${prf}`, 'ecdsa-p256', ['pkcs8', '-topk8', '-v2', cipher, '-v2prf', prf]]),
        ),
        ['in SEC 1', 'ecdsa-p256', ['ec']],
        ['in SEC 1 without its public half', 'ecdsa-p521', ['ec', '-no_public']],
        ['in PKCS#1', 'rsa-2048', ['pkey', '-traditional']],
        ['in DER', 'ecdsa-p384', ['pkey', '-outform', 'DER']],
        ['in SEC 1 and DER', 'ecdsa-p384', ['ec', '-outform', 'DER']],
        ['encrypted in DER', 'ed25519', ['pkcs8', '-topk8', '-outform', 'DER']],
      ])('a private key %s is opened: %s %j', async (title, key, command) => {
        const encrypted = title.startsWith('encrypted')
        await openssl.must(...command, '-in', key, ...(encrypted ? passes.slice(2) : []), '-out', 'other.key')
        const input = command.includes('DER') ? new Uint8Array(await openssl.bytes('other.key')) : await openssl.read('other.key')
        const opening = openPrivateKey(crypto, input, { extractable: true, ...(encrypted ? { passphrase: PASSPHRASE } : {}) })
        if (command.includes('-no_public') && crypto !== globalThis.crypto) await rejected('ERR_CRYPTO_UNUSABLE', opening)
        else expect(await (await opening).exportPkcs8()).toBe(await openssl.read(key))
      })

      test.each([
        ['by scrypt', 'ERR_ALGORITHM_UNSUPPORTED', ['pkcs8', '-topk8', '-scrypt']],
        ['by triple DES', 'ERR_ALGORITHM_UNSUPPORTED', ['pkcs8', '-topk8', '-v2', 'des3']],
        ['by Camellia', 'ERR_ALGORITHM_UNSUPPORTED', ['pkcs8', '-topk8', '-v2', 'camellia-256-cbc']],
        ['over HMAC-SHA-224', 'ERR_ALGORITHM_UNSUPPORTED', ['pkcs8', '-topk8', '-v2', 'aes256', '-v2prf', 'hmacWithSHA224']],
        ['by PKCS#12', 'ERR_ALGORITHM_UNSUPPORTED', ['pkcs8', '-topk8', '-v1', 'PBE-SHA1-3DES']],
        ['by the headers of old PEM', 'ERR_PEM_INVALID', ['ec', '-aes256']],
      ] as const)('a private key encrypted %s is refused with the command that converts it, which does: %s', async (_, code, command) => {
        await openssl.must(...command, '-in', 'ecdsa-p256', ...passes.slice(2), '-out', 'other.key')
        const { message } = await rejected(code, openPrivateKey(crypto, await openssl.read('other.key'), { passphrase: PASSPHRASE }))
        expect(message).toContain(`openssl ${convert.slice(0, 6).join(' ')}`)
        await openssl.must(...convert, '-in', 'other.key', ...passes, '-out', 'converted.key')
        expect((await openPrivateKey(crypto, await openssl.read('converted.key'), { passphrase: PASSPHRASE })).algorithm).toBe('ecdsa-p256')
      })

      test.each([
        ['that is only the public half', 'PRIVATE KEY', ['pkey', '-in', 'ecdsa-p256', '-pubout', '-out', 'other.key']],
        ['behind its parameters', 'take the block of the parameters out', ['ecparam', '-name', 'prime256v1', '-genkey', '-out', 'other.key']],
      ] as const)('a private key %s is refused with the way out', async (_, advice, args) => {
        await openssl.must(...args)
        expect((await rejected('ERR_PEM_INVALID', openPrivateKey(crypto, await openssl.read('other.key')))).message).toContain(advice)
        if (args[0] === 'ecparam') {
          await openssl.must('pkey', '-in', 'other.key', '-out', 'mended.key')
          expect((await openPrivateKey(crypto, await openssl.read('mended.key'))).algorithm).toBe('ecdsa-p256')
        }
      })

      interface Content {
        readonly subject?: string
        readonly key?: string
        readonly args?: readonly string[]
        readonly extensions?: readonly string[]
      }
      const good = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign', 'subjectKeyIdentifier=hash']
      /** A self-signed authority by openssl, in `foreign-ca.pem`. */
      const newCa = async ({ subject = '/CN=etcd-clients', key = 'ecdsa-p256', args = [], extensions = good }: Content): Promise<string> => {
        await openssl.must('req', '-x509', '-new', '-key', key, '-subj', subject, '-days', '3650', ...args, ...extensions.flatMap((one) => ['-addext', one]), '-out', 'foreign-ca.pem')
        return openssl.read('foreign-ca.pem')
      }
      const openOf = async (certificate: string, key = 'ecdsa-p256') => {
        const { signer } = await openPrivateKey(crypto, await openssl.read(key))
        return openCa(crypto, { certificate, signer, issues: ['client'] })
      }

      test.each(sized)('an authority of %s issues what openssl then verifies', async (key) => {
        const authority = await openOf(await newCa({ key }), key)
        const csr = await createCsr(crypto, { signer: (await made.key('ecdsa-p256')).signer })
        const from = new Date(Math.max(authority.notBefore.getTime(), now.getTime()))
        await openssl.write('issued', (await issueClient(authority, { policy, user: 'alice', csr, validity: days(30).from(from) })).certificate)
        expect(await verify(['issued'], '-purpose', 'sslclient', '-CAfile', 'foreign-ca.pem')).toEqual({ issued: 'OK' })
      })

      test('an intermediate authority issues what openssl verifies by its root', async () => {
        await newCa({ subject: '/CN=etcd-ca' })
        await openssl.must('req', '-new', '-key', 'ecdsa-p384', '-subj', '/CN=etcd-clients', '-out', 'intermediate.csr')
        await openssl.write('intermediate.ext', 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid,issuer:always\n')
        await openssl.must('x509', '-req', '-in', 'intermediate.csr', '-CA', 'foreign-ca.pem', '-CAkey', 'ecdsa-p256', '-CAcreateserial', '-days', '365', '-extfile', 'intermediate.ext', '-out', 'intermediate.pem')
        const [certificate, parents] = [await openssl.read('intermediate.pem'), await openssl.read('foreign-ca.pem')]
        const { signer } = await openPrivateKey(crypto, await openssl.read('ecdsa-p384'))
        const authority = await openCa(crypto, { certificate, signer, issues: ['client'], parents })
        const csr = await createCsr(crypto, { signer: (await made.key('ecdsa-p256')).signer })
        const { certificate: leaf, chain } = await issueClient(authority, { policy, user: 'alice', csr, validity: { notBefore: authority.notBefore, notAfter: validity.notAfter } })
        await openssl.write('leaf', leaf)
        await openssl.write('chain', chain.slice(leaf.length))
        expect(await verify(['leaf'], '-purpose', 'sslclient', '-CAfile', 'foreign-ca.pem', '-untrusted', 'chain')).toEqual({ leaf: 'OK' })
        expect(await verify(['leaf'], '-purpose', 'sslclient', '-CAfile', 'foreign-ca.pem')).toEqual({ leaf: 'unable to get local issuer certificate' })
      })

      test('an authority with a key of RSA of 1024 bits is refused', async () => {
        await newKey('weak.key', 'RSA', 'rsa_keygen_bits:1024')
        await rejected('ERR_CERTIFICATE_INVALID', openOf(await newCa({ key: 'weak.key' })))
      })

      const noAuthorities: readonly (readonly [title: string, content: Content])[] = [
        ['no keyUsage, as openssl makes it unless told', { extensions: good.filter((one) => !one.startsWith('keyUsage')) }],
        ['keyUsage without keyCertSign', { extensions: ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,cRLSign'] }],
        ['CA:FALSE', { extensions: ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,keyCertSign'] }],
        ['no basicConstraints', { extensions: ['keyUsage=critical,keyCertSign'] }],
        ['two Common Names', { subject: '/CN=etcd-clients/CN=root' }],
        ['no Common Name', { subject: '/O=etcd' }],
        ['a path for its name', { subject: '/CN=x\\/..\\/root' }],
        ['a restriction of mailboxes', { extensions: [...good, 'nameConstraints=critical,permitted;email:example.com'] }],
        ['an extended key usage for servers only', { extensions: [...good, 'extendedKeyUsage=serverAuth'] }],
        ['a signature over SHA-1', { args: ['-sha1'] }],
      ]
      test.each(noAuthorities)('an authority with %s is refused', async (_, content) => {
        await rejected('ERR_CERTIFICATE_INVALID', openOf(await newCa(content)))
      })

      test('an authority of version 1, of a changed signature, or of another key is refused', async () => {
        await openssl.must('req', '-new', '-key', 'ecdsa-p256', '-subj', '/CN=etcd-clients', '-out', 'old.csr')
        await openssl.must('x509', '-req', '-in', 'old.csr', '-signkey', 'ecdsa-p256', '-out', 'old.pem')
        expect((await inspectCertificate(crypto, await openssl.read('old.pem'))).isAuthority).toBe(false)
        await rejected('ERR_CERTIFICATE_INVALID', openOf(await openssl.read('old.pem')))
        await rejected('ERR_CERTIFICATE_INVALID', openOf(writePem('certificate', flipped(readPem('certificate', await newCa({}))))))
        await rejected('ERR_KEY_MISMATCH', openOf(await newCa({}), 'ecdsa-p384'))
      })
    })

    console.info(`openssl judged ${all.length} pairs of authority and key with ${lane}, of each ${kindNames.join(', ')}`)
  })
}
