/**
 * An authority whose private key is in another process, as it would be in a KMS, an HSM or Vault: all that the library asks of a key is a `Signer`.
 *
 * The other process makes the key, says its public half, and answers each line of bytes with the signature of them (base64 both). This one never has it.
 */
import { spawn } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createCa, createCsr, days, definePolicy, generateKeyPair, issueClient, type Signer } from 'etcd-rbac'

const base64 = (bytes: Uint8Array): string => `${Buffer.from(bytes).toString('base64')}\n`

function holdKey(): void {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  process.stdout.write(base64(publicKey.export({ type: 'spki', format: 'der' })))
  createInterface(process.stdin).on('line', (line) => process.stdout.write(base64(sign('sha256', Buffer.from(line, 'base64'), privateKey))))
}

async function issue(): Promise<void> {
  const holder = spawn(process.execPath, [fileURLToPath(import.meta.url), 'hold-key'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = createInterface(holder.stdout)[Symbol.asyncIterator]()
  const answer = async (): Promise<Uint8Array> => {
    const next: IteratorResult<string, unknown> = await answers.next()
    if (next.done === true) throw new Error('the process that holds the key has ended')
    return Buffer.from(next.value, 'base64')
  }
  const signer: Signer = {
    algorithm: 'ecdsa-sha256',
    publicKey: await answer(),
    // Answers come in the order of the questions. What a KMS throws reaches whoever called `issueClient`.
    sign: (bytes) => {
      holder.stdin.write(base64(bytes))
      return answer()
    },
  }

  const now = new Date()
  const policy = definePolicy({ users: { root: 'certificate', alice: 'certificate' }, authorities: ['etcd-clients'], v3: { roles: {}, bindings: { root: ['root'] } } })
  const clients = await createCa(crypto, { name: 'etcd-clients', signer, validity: days(3650).from(now, { backdateMinutes: 5 }), issues: ['client'] })
  const request = async (user: 'root' | 'alice') => {
    const csr = await createCsr(crypto, { commonName: user, signer: (await generateKeyPair(crypto, 'ecdsa-p256')).signer })
    return issueClient(clients, { policy, user, csr, validity: days(90).from(now, { backdateMinutes: 5 }) })
  }
  for (const { certificate } of await Promise.all([request('root'), request('alice')])) {
    const read = new X509Certificate(certificate)
    const signed = read.verify(createPublicKey({ key: Buffer.from(signer.publicKey), type: 'spki', format: 'der' }))
    console.log(`${read.subject} by ${read.issuer}, ${signed ? 'signed by the key of the other process' : 'NOT SIGNED BY IT'}`)
  }
  holder.stdin.end()
}

if (process.argv[2] === 'hold-key') holdKey()
else await issue()
