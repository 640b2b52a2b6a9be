/**
 * One etcd for Kubernetes and Calico, protected from one policy: the whole job in the order in which an installer does it.
 *
 *   1. the policy       who there is, and what each may do
 *   2. the material     authorities, keys and certificates, written with safe modes
 *   3. the member       etcd started with them
 *   4. users and roles  planned, shown, applied, auth enabled: on the v3 API and, where the server has it, on the v2 API
 *   5. the proof        every identity really tries what it should and what it should not
 *   6. the components   what kube-apiserver and Calico must be told
 *
 * Run it with `npm run demo`. With `-- --real` it fails where there is no etcd, instead of using the in-memory double.
 */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  anonymous, calicoctlV2, calicoctlV3, calicoV2, calicoV3, can, createCa, createCsr, days, definePolicy, del, describe, EtcdAuth, generateKeyPair,
  get, hostsOf, issueClient, issuePeer, issueServer, kubeApiserver, path, prefix, put, renderCalico, renderKubeApiserver, renderMember, toJson,
  type KeyOperation, type Plan,
} from 'etcd-rbac'
import { chooseEtcd } from './support/choose-etcd.js'
import { freePorts } from './support/etcd.js'
import { inMemory, realServer, type Reached } from './support/servers.js'
import { printTable, say, writeRendered, writeText } from './support/output.js'

const { crypto } = globalThis
const now = new Date()

const chosen = await chooseEtcd({ real: process.argv.includes('--real') })
say(chosen.says)
if (chosen.refused) process.exit(1)
const found = chosen.etcd
const version = found?.version ?? '3.5.30'
const hasV2 = /^3\.[345]\./.test(version)

say('\n1. The policy')
const apiserver = kubeApiserver({ etcd: version, compaction: 'etcd' })
const calico = calicoV3({ calico: '3.30', grants: 'source' })
const support = calicoctlV3({ calico: '3.30', grants: 'source' })
const [calicoOnV2, supportOnV2] = [calicoV2({ calico: '2.6' }), calicoctlV2({ calico: '2.6' })]

const bindings = {
  root: ['root'],
  'calico-node': ['calicoNode'],
  'calico-cni': ['calicoCni'],
  'calico-kube-controllers': ['calicoControllers'],
  'support-viewer': ['viewer'],
  'support-editor': ['policyEditor'],
  'support-admin': ['calicoAdmin'],
} as const

const policy = definePolicy({
  users: {
    root: 'certificate',
    'kube-apiserver': 'certificate',
    'calico-node': 'certificate',
    'calico-cni': 'certificate',
    'calico-kube-controllers': 'certificate',
    'support-viewer': 'certificate',
    'support-editor': 'certificate',
    'support-admin': 'certificate',
  },
  members: ['etcd-0'],
  authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'],
  v3: {
    roles: {
      kubernetes: apiserver.permissions,
      calicoNode: calico.node.permissions,
      calicoCni: calico.cniPlugin.permissions,
      calicoControllers: calico.kubeControllers.permissions,
      viewer: support.readOnly.permissions,
      policyEditor: support.policyEditor.permissions,
      calicoAdmin: support.full.permissions,
    },
    bindings: { ...bindings, 'kube-apiserver': ['kubernetes'] },
  },
  v2: {
    guest: [],
    roles: {
      calicoNode: calicoOnV2.node.permissions,
      calicoCni: calicoOnV2.cniPlugin.permissions,
      calicoControllers: calicoOnV2.kubeControllers.permissions,
      viewer: supportOnV2.readOnly.permissions,
      policyEditor: supportOnV2.policyEditor.permissions,
      calicoAdmin: supportOnV2.full.permissions,
    },
    bindings,
  },
})
const users = Object.keys(policy.users) as (keyof typeof policy.users)[]
say(`${users.length} users, each with a certificate; ${Object.keys(policy.v3?.roles ?? {}).length} roles on v3, ${Object.keys(policy.v2?.roles ?? {}).length} on v2`)

say('\n2. The material')
const folder = await mkdtemp(join(tmpdir(), 'etcd-rbac-demo-'))
const authority = async <const P extends 'client' | 'server' | 'peer'>(name: string, purpose: P) =>
  createCa(crypto, {
    name,
    signer: (await generateKeyPair(crypto, 'ecdsa-p256')).signer,
    validity: days(3650).from(now, { backdateMinutes: 5 }),
    issues: [purpose],
  })
// Three authorities: whoever has a certificate for the peer port is root, so no client's may come from the same one.
const clients = await authority('etcd-clients', 'client')
const servers = await authority('etcd-servers', 'server')
const peers = await authority('etcd-peers', 'peer')

const validity = days(90).from(now, { backdateMinutes: 5 })
/** A key and a request, as the component makes them: the key never leaves it. */
const request = async (commonName?: string) => {
  const keys = await generateKeyPair(crypto, 'ecdsa-p256', { extractable: true })
  return { csr: await createCsr(crypto, { signer: keys.signer, ...(commonName === undefined ? {} : { commonName }) }), key: await keys.exportPkcs8() }
}
const issued = new Map<string, { certificate: string; key: string }>()
const identity = { user: 'root', certificate: undefined as Awaited<ReturnType<typeof issueClient>> | undefined }
for (const user of users) {
  const { csr, key } = await request(user)
  const client = await issueClient(clients, { policy, user, csr, validity })
  if (user === 'root') identity.certificate = client
  issued.set(user, { certificate: client.chain, key })
}
// A certificate of the same authority whose Common Name is no user: what etcd takes for a stranger.
const strangers = definePolicy({ users: { stranger: 'certificate' }, authorities: ['etcd-clients'], v3: { roles: {}, bindings: {} } })
const strange = await request('stranger')
issued.set('stranger', { certificate: (await issueClient(clients, { policy: strangers, user: 'stranger', csr: strange.csr, validity })).chain, key: strange.key })

const [clientPort = 0, peerPort = 0] = await freePorts(2)
const [clientUrl, peerUrl] = [`https://127.0.0.1:${clientPort}`, `https://127.0.0.1:${peerPort}`]
const [serverRequest, peerRequest] = [await request(), await request()]
const server = await issueServer(servers, { policy, member: 'etcd-0', hosts: hostsOf(clientUrl), csr: serverRequest.csr, validity })
const peer = await issuePeer(peers, { policy, member: 'etcd-0', hosts: hostsOf(peerUrl), csr: peerRequest.csr, validity })
for (const [name, { certificate, key }] of issued) {
  await writeText(join(folder, 'clients', `${name}.crt`), certificate, 0o644)
  await writeText(join(folder, 'clients', `${name}.key`), key, 0o600)
}
await writeText(join(folder, 'clients', 'servers-ca.crt'), servers.certificate, 0o644)
say(`${issued.size + 2} certificates of 3 authorities, in ${folder}`)

say('\n3. The member')
const member = renderMember({
  version,
  name: 'etcd-0',
  clientUrls: { listen: [clientUrl], advertise: [clientUrl] },
  peerUrls: { listen: [peerUrl], advertise: [peerUrl] },
  cluster: { members: { 'etcd-0': [peerUrl] }, state: 'new', token: 'demo' },
  dataDirectory: join(folder, 'data'),
  certificatesDirectory: join(folder, 'etcd-0'),
  server: { certificate: server.chain, key: serverRequest.key },
  peer: { certificate: peer.chain, key: peerRequest.key },
  trust: { clients: clients.certificate, peers: peers.certificate },
  v2: hasV2,
  gateway: 'off',
  autoCompaction: { mode: 'periodic', retention: '8h' },
})
await writeRendered(member)
const etcd: Reached =
  found === undefined
    ? inMemory({ version, v2: hasV2 })
    : await realServer({ binary: found.binary, version, member, folder, url: clientUrl, ca: servers.certificate, credentials: issued })
say(found === undefined ? 'the double, unlocked' : `etcd serves ${clientUrl}, with mutual TLS on both ports`)

const rows: string[][] = []
let wrong = 0
try {
  say('\n4. Users and roles')
  // v2 first: a plan that locks v3 is blocked while the other door of the same server is open.
  for (const api of hasV2 ? (['v2', 'v3'] as const) : (['v3'] as const)) {
    const { user, certificate } = identity
    const auth = new EtcdAuth(etcd.backend(api), { identity: certificate === undefined ? { user } : { user, certificate } })
    const plan: Plan = await auth.plan(policy, { unmanaged: 'report', enable: true })
    say(describe(plan))
    await auth.apply(plan, {
      onStep: ({ number, total }) => {
        if (number === total) say(`  applied ${number} of ${total}; auth is on`)
      },
    })
    const again = await auth.plan(policy, { unmanaged: 'report', enable: true })
    say(`  a second plan has ${again.steps.length} steps\n`)
  }

  say('5. The proof: what the policy says, and what etcd does')
  const resources = '/calico/resources/v3/projectcalico.org/'
  const v3Attempts: readonly KeyOperation[] = [
    get(prefix('/registry/')), put('/registry/pods/default/web'), put(`${resources}workloadendpoints/default/web`), get(prefix(`${resources}ippools/`)),
    put(`${resources}networkpolicies/default/deny`), put('/calico/ipam/v2/assignment/ipv4/block/10.0.0.0-26'), put('/calico/felix/v10'), del(prefix('/calico/')), put('/other/key'),
  ]
  const v2Attempts: readonly KeyOperation[] = [
    get(path('/calico/v1/host/node-1')), put(path('/calico/v1/host/node-1')), put(path('/calico/v1/policy/deny')), get(path('/registry/pods')), del(path('/calico', { recursive: true })),
  ]
  for (const operation of hasV2 ? [...v3Attempts, ...v2Attempts] : v3Attempts) {
    const row: string[] = []
    for (const user of [...users, 'stranger'] as const) {
      const says = can(policy, user === 'stranger' ? anonymous : user, operation)
      const does = await etcd.attempt(user, operation)
      if (says !== does) wrong++
      row.push(says === does ? (does ? 'yes' : 'no') : `WRONG: ${does ? 'yes' : 'no'}`)
    }
    rows.push([`${operation.keys.api} ${operation.op} ${showTarget(operation)}`, ...row])
  }
  printTable(['allowed by etcd, as the policy says', ...users, 'a stranger'], rows)
  say(wrong === 0 ? `all ${rows.length * (users.length + 1)} answers are those of the policy` : `${wrong} answers differ from the policy`)
} finally {
  await etcd.stop()
}

say('\n6. The components')
const keyed = (user: keyof typeof policy.users) => issued.get(user) ?? { certificate: '', key: '' }
const kube = renderKubeApiserver({ endpoints: [clientUrl], serverAuthority: servers.certificate, client: keyed('kube-apiserver'), certificatesDirectory: join(folder, 'kube-apiserver'), compaction: apiserver.compaction })
await writeRendered(kube)
const manifests = renderCalico({
  endpoints: [clientUrl],
  serverAuthority: servers.certificate,
  clients: { node: keyed('calico-node'), cniPlugin: keyed('calico-cni'), kubeControllers: keyed('calico-kube-controllers') },
  sharedEtcd: true,
})
for (const secret of manifests.secrets) await writeText(join(folder, 'calico', `${secret.metadata.name}.json`), toJson(secret), 0o600)
await writeText(join(folder, 'calico', 'calico-config.json'), toJson(manifests.configMap), 0o644)
for (const { flag, value, why } of kube.arguments) say(`kube-apiserver ${flag}=${value}   (${why})`)
say(`calico-kube-controllers: COMPACTION_PERIOD=${manifests.kubeControllersEnvironment['COMPACTION_PERIOD'] ?? ''}; Secrets and ConfigMap in ${join(folder, 'calico')}`)
say(`\nEverything is in ${folder}; delete it when you have looked.`)
if (wrong > 0) process.exitCode = 1

function showTarget({ keys }: KeyOperation): string {
  if (keys.api === 'v2') return `${keys.path}${keys.recursive ? ' (recursive)' : ''}`
  const text = keys.kind === 'prefix' ? keys.prefix : keys.kind === 'key' ? keys.key : keys.kind
  return `${typeof text === 'string' ? text.replace('/calico/resources/v3/projectcalico.org/', '…/') : ''}${keys.kind === 'prefix' ? '*' : ''}`
}
