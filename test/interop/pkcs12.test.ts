/** PKCS#12 files, read by openssl, by Node's TLS, and by Java's keytool where there is one. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCsr, generateKeyPair, issueClient, toPkcs12, type KeyAlgorithm } from '../../src/pki/index.js'
import { makers, policy, validity } from '../support/certificates.js'
import { lanes, rejected } from '../support/pki.js'

const run = promisify(execFile)
const has = (program: string, flag: string): Promise<boolean> => run(program, [flag]).then(() => true, () => false)
const [openssl, keytool] = await Promise.all([has('openssl', 'version'), has('keytool', '-help')])
console.info(`PKCS#12 is judged by Node, ${openssl ? 'openssl' : 'no openssl: DID NOT RUN'}, ${keytool ? 'keytool' : 'no keytool: DID NOT RUN'}`)

const PASSPHRASE = 'correct horse'
let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'etcd-rbac-pkcs12-'))
})
afterAll(async () => {
  await rm(directory, { recursive: true, force: true })
})

describe.each(lanes)('a file made with %s', (_, crypto) => {
  const made = makers(crypto)

  test.each<KeyAlgorithm>(['ecdsa-p256', 'rsa-2048'])('of a key of %s is read by everybody with its passphrase, and by nobody with another', async (algorithm) => {
    const key = await generateKeyPair(crypto, algorithm, { extractable: true })
    const authority = await made.authority('ecdsa-p256')
    const { chain } = await issueClient(authority, { policy, user: 'alice', csr: await createCsr(crypto, { signer: key.signer }), validity })
    const file = await toPkcs12(crypto, { chain: chain + authority.certificate, key, passphrase: PASSPHRASE, alias: 'alice' })

    const context = (passphrase: string) => createSecureContext({ pfx: Buffer.from(file), passphrase })
    expect(() => context(PASSPHRASE)).not.toThrow()
    expect(() => context('another one')).toThrow()
    const path = join(directory, `${algorithm}.p12`)
    await writeFile(path, file)
    if (openssl) {
      const { stdout } = await run('openssl', ['pkcs12', '-in', path, '-passin', `pass:${PASSPHRASE}`, '-nodes', '-info'])
      expect(stdout).toContain(chain.trim().split('\n')[3])
      expect(stdout.replaceAll(/\s/g, '')).toContain((await key.exportPkcs8()).replaceAll(/-----[^-]+-----|\s/g, ''))
      expect(stdout.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
      await expect(run('openssl', ['pkcs12', '-in', path, '-passin', 'pass:another one', '-nodes'])).rejects.toThrow()
    }
    if (keytool) {
      const { stdout } = await run('keytool', ['-list', '-v', '-storetype', 'PKCS12', '-keystore', path, '-storepass', PASSPHRASE], { env: { ...process.env, LC_ALL: 'C' } })
      expect(stdout).toMatch(/Alias name: alice/)
      expect(stdout).toMatch(/Entry type: PrivateKeyEntry/)
      expect(stdout).toMatch(/Certificate chain length: 2/)
    }
  })

  test('is refused where the key is not that of the certificate, or the passphrase is short or not ASCII', async () => {
    const [key, other] = await Promise.all([0, 1].map(() => generateKeyPair(crypto, 'ecdsa-p256', { extractable: true })))
    const { chain } = await issueClient(await made.authority('ecdsa-p256'), { policy, user: 'alice', csr: await createCsr(crypto, { signer: key!.signer }), validity })
    await rejected('ERR_KEY_MISMATCH', toPkcs12(crypto, { chain, key: other!, passphrase: PASSPHRASE }))
    // Its signer is that of the certificate, and what it exports is another key.
    await rejected('ERR_KEY_MISMATCH', toPkcs12(crypto, { chain, key: { ...key!, exportPkcs8: other!.exportPkcs8 }, passphrase: PASSPHRASE }))
    await rejected('ERR_PASSPHRASE', toPkcs12(crypto, { chain, key: key!, passphrase: 'seven77' }))
    await rejected('ERR_PASSPHRASE', toPkcs12(crypto, { chain, key: key!, passphrase: 'correct hôrse' }))
    await rejected('ERR_PEM_INVALID', toPkcs12(crypto, { chain: '', key: key!, passphrase: PASSPHRASE }))
    await expect(toPkcs12(crypto, { chain, key: (await generateKeyPair(crypto, 'ecdsa-p256')) as never, passphrase: PASSPHRASE })).rejects.toThrow(TypeError)
  })
})
