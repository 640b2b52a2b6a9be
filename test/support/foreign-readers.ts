/** Programs that know nothing of the library, asked whether they can read something: openssl one at a time, Go's standard library many at once. */
import { spawn } from 'node:child_process'
import { buildGo } from './go-build.js'

/** What may be asked about. */
export type Readable = 'certificate' | 'csr' | 'crl' | 'private key' | 'ec private key' | 'rsa private key' | 'encrypted private key'

/** How openssl is told to read one, from its standard input. */
const commands: Readonly<Record<Readable, readonly string[]>> = {
  certificate: ['x509', '-noout'],
  csr: ['req', '-verify', '-noout'],
  crl: ['crl', '-noout'],
  'private key': ['pkey', '-check', '-noout'],
  'ec private key': ['pkey', '-check', '-noout'],
  'rsa private key': ['pkey', '-check', '-noout'],
  'encrypted private key': ['pkey', '-check', '-noout', '-passin', 'pass:secret'],
}

/** What openssl has against a PEM text, or nothing. */
export function opensslReads(kind: Readable, pem: string): Promise<string> {
  return run('openssl', commands[kind], pem).then(({ code, output }) => (code === 0 && !/verify failure/i.test(output) ? '' : `openssl: ${output.trim().slice(0, 300)}`))
}

/** Go's reader, built with this Go. */
export const buildReader = (go: string): Promise<string> => buildGo({ name: 'reader', module: 'reader', package: '.' }, go)

/** What Go has against each, or nothing. */
export async function goReads(binary: string, things: readonly { readonly kind: Readable; readonly der: Uint8Array }[]): Promise<readonly string[]> {
  const { code, output } = await run(binary, [], JSON.stringify(things.map(({ kind, der }) => ({ kind, der: Buffer.from(der).toString('base64') }))))
  if (code !== 0) throw new Error(`the reader in Go ended with ${String(code)}: ${output}`)
  return (JSON.parse(output) as readonly string[]).map((reason) => (reason === '' ? '' : `Go: ${reason}`))
}

function run(program: string, args: readonly string[], input: string): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((settle, fail) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.once('error', fail)
    child.once('close', (code) => {
      settle({ code, output: Buffer.concat(chunks).toString('utf8') })
    })
    // It may end without having read all.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}
