/** What the compiler says where a rule is broken. That it says anything is proved in test/types; here, that a reader knows what to do. */
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { beforeAll, describe, expect, test } from 'vitest'

const folder = fileURLToPath(new URL('../types/', import.meta.url))

const head = `
import { can, definePolicy, defineUsers, get, parsePolicy, pattern, prefix, put, range, read, readwrite, type Policy } from '../../src/policy/index.js'
import { createCa, issueClient, issuePeer, issueServer, openCa, planMaterial, type Authority, type Signer, type Validity } from '../../src/pki/index.js'
import type { WebCryptoLike } from '../../src/platform.js'
declare const crypto: WebCryptoLike, signer: Signer
declare const clients: Authority<'client'>, servers: Authority<'server'>, peers: Authority<'peer'>, validity: Validity, name: string
const users = defineUsers({ root: 'certificate', 'calico-node': 'certificate', auditor: 'password' })
const policy = definePolicy({ users, members: ['etcd-0', 'etcd-1'], v3: { roles: { node: [readwrite(prefix('/calico/'))] }, bindings: { root: ['root'] } } })
const inline = definePolicy({ users: { root: 'certificate', 'calico-node': 'certificate', auditor: 'password' } })
const loaded = parsePolicy({})
`

const snippets: readonly (readonly [name: string, code: string, said: readonly string[]])[] = [
  [
    'a prefix without terminator: what it would open, what to write, and how to mean it',
    `prefix('/calico')`,
    [`'/calico' has no terminator`, `would open '/calicofoo' too`, `write '/calico/'`, `{ siblings: 'include' }`],
  ],
  ['the same in a permission of a policy', `definePolicy({ users, v3: { roles: { r: [read(prefix('/registry'))] }, bindings: {} } })`, [`write '/registry/'`]],
  ['a certificate for a user of passwords: why not', `issueClient(clients, { policy, user: 'auditor', csr: '', validity })`, [`user 'auditor' logs in by password: no certificate`]],
  ['the same of a policy written in place', `issueClient(clients, { policy: inline, user: 'auditor', csr: '', validity })`, [`user 'auditor' logs in by password: no certificate`]],
  ['a certificate for an unknown user: the users who may have one', `issueClient(clients, { policy, user: 'calico-nod', csr: '', validity })`, ['"calico-nod"', '"root" | "calico-node"', `Did you mean '"calico-node"'?`]],
  ['the same of a policy written in place', `issueClient(clients, { policy: inline, user: 'kubelet', csr: '', validity })`, ['"kubelet"', '"root" | "calico-node"']],
  ['a question about an unknown user: the users', `can(policy, 'audit', put('/x'))`, ['"audit"', '"root"', '"calico-node"', '"auditor"']],
  ['the same of a policy written in place', `can(inline, 'audit', put('/x'))`, ['"audit"', '"root"', '"calico-node"', '"auditor"']],
  ['a server certificate for an unknown member: the members', `issueServer(servers, { policy, member: 'etcd-2', hosts: [], csr: '', validity })`, ['"etcd-2"', '"etcd-0" | "etcd-1"']],
  ['a client of the authority of peers: what it lacks', `issueClient(peers, { policy, user: 'root', csr: '', validity })`, ['Authority<"peer">', 'Authority<"client">', `'client' is missing`]],
  ['a peer of the authority of clients: what it lacks', `issuePeer(clients, { policy, member: 'etcd-0', hosts: [], csr: '', validity })`, ['Authority<"client">', `'peer' is missing`]],
  ['an unknown role in a binding: the roles', `definePolicy({ users, v3: { roles: { node: [], audit: [] }, bindings: { auditor: ['adit'] } } })`, ['"adit"', '"root" | "node" | "audit"', `Did you mean '"audit"'?`]],
  ['an unknown user in a binding: which, what to do, and the users', `definePolicy({ users: { alice: 'certificate', carol: 'password' }, v3: { roles: {}, bindings: { bob: [] } } })`, [`user 'bob' is not declared in users: declare it there, or write one of these`, '"alice" | "carol"']],
  ['the same of bindings built beforehand', `definePolicy({ users, v3: { roles: {}, bindings: { root: ['root'], alice: ['root'] } as const } })`, [`user 'alice' is not declared in users`, '"root" | "calico-node" | "auditor"']],
  ['the same in the v2 half', `definePolicy({ users, v2: { guest: [], roles: {}, bindings: { alice: ['root'] } } })`, [`user 'alice' is not declared in users`]],
  ['a declared role root: why not, and what to do', `definePolicy({ users, v3: { roles: { root: [read(prefix('/x/'))] }, bindings: {} } })`, [`role 'root' is etcd's own and may do everything: bind users to it without declaring it`]],
  ['a declared role guest of v2: where it belongs', `definePolicy({ users, v2: { guest: [], roles: { guest: [read(pattern('/x*'))] }, bindings: {} } })`, [`role 'guest' stands in a field of its own: write v2.guest`]],
  ['a name that is both a member\'s and an authority\'s', `definePolicy({ users, members: ['m'], authorities: ['m'] })`, [`'m' is a member: no authority may share its name`]],
  ['an authority that issues nothing', `createCa(crypto, { name: 'x', signer, validity, issues: [] })`, ['an authority issues at least one of client, server and peer: say which']],
  ['an authority that issues the same twice', `openCa(crypto, { certificate: '', signer, issues: ['client', 'client'] })`, [`'client' stands twice in issues: write it once`]],
  ['labels of a user who logs in by password', `planMaterial(policy, [], new Date(0), { hosts: { 'etcd-0': 'none', 'etcd-1': 'none' }, authorities: { client: clients, server: clients, peer: clients }, labels: { auditor: ['n'] } })`, [`user 'auditor' logs in by password: no certificate, and no label`]],
  ['a v2 pattern in the v3 half: which is which', `definePolicy({ users, v3: { roles: { r: [read(pattern('/x*'))] }, bindings: {} } })`, ['Permission<PathPattern>', 'Permission<KeyRange>']],
  ['a v3 prefix in the v2 half: which is which', `definePolicy({ users, v2: { guest: [], roles: { r: [read(prefix('/x/'))] }, bindings: {} } })`, ['Permission<Prefix>', 'Permission<PathPattern>']],
  ['a v2 half that does not speak of guest', `definePolicy({ users, v2: { roles: {}, bindings: {} } })`, [`'guest' is missing`]],
  ['a member named like a user: why not', `definePolicy({ users, members: ['auditor'] })`, [`'auditor' is an etcd user: no member or authority may share its name`]],
  ['an authority named like a user: why not', `definePolicy({ users, authorities: ['calico-node'] })`, [`'calico-node' is an etcd user: no member or authority may share its name`]],
  ['a misspelt field: the field that was meant', `definePolicy({ users, member: ['etcd-0'] })`, [`'member' does not exist`, `Did you mean to write 'members'?`]],
  ['a doubled field', `definePolicy({ users: { a: 'certificate', a: 'password' } })`, ['multiple properties with the same name']],
  ['a misspelt login: the logins', `definePolicy({ users: { a: 'certificat' } })`, ['"certificat"', `Did you mean '"certificate"'?`]],
  ['a missing validity', `issueClient(clients, { policy, user: 'root', csr: '' })`, ['validity']],
  ['a put of a prefix: one key is wanted', `put(prefix('/x/'))`, [`'Prefix'`, 'Key']],
  ['a request for a pattern: a path is wanted', `get(pattern('/x*'))`, [`'PathPattern'`, `'Path'`]],
]

const right: readonly (readonly [name: string, code: string])[] = [
  ['a terminated prefix', `prefix('/calico/')`],
  ['a name of a policy that was read', `issueClient(clients, { policy: loaded, user: name, csr: '', validity })`],
  ['a user of certificates', `issueClient(clients, { policy, user: 'calico-node', csr: '', validity })`],
  ['a question about any user', `can(policy, 'auditor', get(range('/a', '/b')))`],
]

describe('the compiler says', () => {
  const all = [...snippets, ...right].map(([, code], index) => ({ path: `${folder}snippet-${index}.ts`, text: `${head}void (${code})\n` }))
  const messages = new Map<string, string>()

  beforeAll(() => {
    const { config } = ts.readConfigFile(`${folder}tsconfig.json`, (path) => ts.sys.readFile(path)) as { config: { include: string[] } }
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, folder)
    const disk = ts.createCompilerHost(options)
    const virtual = new Map(all.map(({ path, text }) => [path, text]))
    const host: ts.CompilerHost = {
      ...disk,
      fileExists: (path) => virtual.has(path) || disk.fileExists(path),
      readFile: (path) => virtual.get(path) ?? disk.readFile(path),
      getSourceFile: (path, version, ...rest) => {
        const text = virtual.get(path)
        return text === undefined ? disk.getSourceFile(path, version, ...rest) : ts.createSourceFile(path, text, version)
      },
    }
    const program = ts.createProgram([...virtual.keys(), ...ts.sys.readDirectory(`${folder}../../src`, ['.d.ts'], [], ['*.d.ts'])], { ...options, noUnusedLocals: false }, host)
    for (const { path } of all) {
      const file = program.getSourceFile(path)
      const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
      messages.set(path, found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')).join('\n'))
    }
  }, 60_000)

  test.each(snippets.map(([name, code, said], index) => [name, code, said, index] as const))('of %s: %s', (_, _code, said, index) => {
    const message = messages.get(`${folder}snippet-${index}.ts`)
    for (const part of said) expect(message).toContain(part)
    // A name that the reader would have to look up says nothing.
    expect(message).not.toMatch(/CertificateUser<|UserName<|NotUser<|MemberName</)
  })

  test.each(right.map(([name, code], index) => [name, code, snippets.length + index] as const))('nothing of %s: %s', (_, _code, index) => {
    expect(messages.get(`${folder}snippet-${index}.ts`)).toBe('')
  })
})
