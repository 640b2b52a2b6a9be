/** The example of a signer in another process is a whole program: it runs as its reader would run it, on the built package. */
import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import ts from 'typescript'
import { afterAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
// Inside the package, so that `etcd-rbac` is the package itself.
const folder = `${root}build/external-signer-${String(process.pid)}`
afterAll(() => rm(folder, { recursive: true, force: true }))

test('an authority whose key is in another process issues certificates that are signed by it, several at once', async () => {
  const source = await readFile(`${root}examples/external-signer.ts`, 'utf8')
  const { outputText } = ts.transpileModule(source, { compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext } })
  await mkdir(folder, { recursive: true })
  await writeFile(`${folder}/external-signer.js`, outputText)
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [`${folder}/external-signer.js`])
  expect(stdout.trim().split('\n')).toEqual(['root', 'alice'].map((user) => `CN=${user} by CN=etcd-clients, signed by the key of the other process`))
  expect(stderr).toBe('')
})
