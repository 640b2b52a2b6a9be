/**
 * What other clients notice while 1,000 steps are applied: which requests are refused, and how long a login waits, by pacing.
 *
 *   npm run bench:live-traffic
 *   ETCD_RBAC_LANES=3.5.35 npm run bench:live-traffic          # of those that npm run fetch-etcd brought; without it, the newest 3.5 and 3.6
 *   ETCD_RBAC_ETCD=/path/to/etcd npm run bench:live-traffic
 *
 * One member on loopback with mutual TLS, 50 users with a role each; two clients write (Put and Txn in turn), two read, one logs in by password, each
 * sending the next request when the last is answered. Only what is sent between the first write of an apply and its last counts. Slow rows are
 * ended before their last step. Any failure but the refusal that is counted, and a login's deadline, ends the run.
 */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Etcd3 } from 'etcd3'
import {
  createCa, createCsr, days, definePolicy, EtcdAuth, etcd3Options, generateKeyPair, hostsOf, isEtcdRbacError, issueClient, issuePeer, issueServer, prefix,
  readwrite, renderMember, toCommand, v3Backend, type ApplyOptions, type Policy,
} from 'etcd-rbac'
import { cacheOfProject, findEtcd, freePorts, startEtcd } from '../examples/support/etcd.js'
import { writeRendered } from '../examples/support/output.js'

const STEPS = 1_000
const PATIENCE = 10_000
const REFUSED = '3 INVALID_ARGUMENT: etcdserver: revision of auth store is old'
const PASSWORD = 'of the user who logs in'

interface Row {
  readonly name: string
  /** Left away: nothing is written. */
  readonly apply?: Pick<ApplyOptions, 'pacing' | 'concurrency'>
  /** Milliseconds of writing to be seen, in as many applies as that takes. */
  readonly window: number
}

const paced = (name: string, pacing: ApplyOptions['pacing'] & object): Row => ({ name: `\`${name}\``, apply: { pacing }, window: 10_500 })
const rows: readonly Row[] = [
  { name: 'nothing written', window: 3_000 },
  { name: 'as fast as it goes, 16 at once', apply: {}, window: 5_000 },
  { name: '`concurrency: 1`', apply: { concurrency: 1 }, window: 5_000 },
  ...[200, 100, 50, 20].map((rate) => paced(`mutationsPerSecond: ${rate}`, { mutationsPerSecond: rate })),
  ...[20, 100].map((pause) => paced(`pauseMs: ${pause}`, { pauseMs: pause })),
]

/** Three permissions a role: from one turn to the next, each role is deleted, made, and granted three. */
function policyOf(turn: 'a' | 'b'): Policy {
  const roles = Array.from({ length: STEPS / 5 }, (_, at) => `${turn}-${at}`)
  const tenants = Array.from({ length: 50 }, (_, at) => `tenant-${at}`)
  const three = (name: string) => ['x', 'y', 'z'].map((part) => readwrite(prefix(`/tenants/${name}/${part}/`)))
  return definePolicy({
    users: { root: 'certificate', worker: 'certificate', human: 'password', ...Object.fromEntries(tenants.map((name) => [name, 'certificate' as const])) },
    members: ['etcd-0'],
    authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'],
    v3: {
      roles: { worker: [readwrite(prefix('/live/'))], ...Object.fromEntries([...tenants, ...roles].map((name) => [name, three(name)])) },
      bindings: { root: ['root'], worker: ['worker'], human: ['worker'], ...Object.fromEntries(tenants.map((name) => [name, [name]])) },
    },
  })
}
const policies = { a: policyOf('a'), b: policyOf('b') } as const
const options = { unmanaged: 'remove', enable: true } as const

type Kind = 'write' | 'read' | 'login'
interface Request {
  readonly kind: Kind
  readonly began: number
  readonly took: number
  readonly outcome: 'done' | 'refused' | 'late'
}
interface Span {
  readonly from: number
  readonly to: number
  readonly steps: number
}

interface Measured {
  readonly row: string
  readonly steps: number
  /** Writes between the first and the last of an apply, by the time that took. */
  readonly secondsFor1000Steps: number | undefined
  readonly writes: { readonly sent: number; readonly refused: number }
  readonly reads: { readonly sent: number; readonly refused: number }
  readonly logins: { readonly sent: number; readonly late: number; readonly medianMs: number; readonly worstMs: number }
}

/** A member with the first policy in it and auth on, and clients to it. */
async function start(binary: string, version: string) {
  const { crypto } = globalThis
  const now = new Date()
  const folder = await mkdtemp(join(tmpdir(), 'etcd-rbac-bench-'))
  const authority = async <const P extends 'client' | 'server' | 'peer'>(name: string, purpose: P) =>
    createCa(crypto, { name, signer: (await generateKeyPair(crypto, 'ecdsa-p256')).signer, validity: days(30).from(now, { backdateMinutes: 10 }), issues: [purpose] })
  const [clients, servers, peers] = [await authority('etcd-clients', 'client'), await authority('etcd-servers', 'server'), await authority('etcd-peers', 'peer')]
  const validity = days(2).from(now, { backdateMinutes: 5 })
  const request = async () => {
    const keys = await generateKeyPair(crypto, 'ecdsa-p256', { extractable: true })
    return { csr: await createCsr(crypto, { signer: keys.signer }), key: await keys.exportPkcs8() }
  }
  const policy = policies.a
  const [clientPort = 0, peerPort = 0] = await freePorts(2)
  const [clientUrl, peerUrl] = [`https://127.0.0.1:${clientPort}`, `https://127.0.0.1:${peerPort}`]
  const [forServer, forPeer] = [await request(), await request()]
  const member = renderMember({
    version,
    name: 'etcd-0',
    clientUrls: { listen: [clientUrl], advertise: [clientUrl] },
    peerUrls: { listen: [peerUrl], advertise: [peerUrl] },
    cluster: { members: { 'etcd-0': [peerUrl] }, state: 'new', token: 'bench' },
    dataDirectory: join(folder, 'data'),
    certificatesDirectory: join(folder, 'certificates'),
    server: { certificate: (await issueServer(servers, { policy, member: 'etcd-0', hosts: hostsOf(clientUrl), csr: forServer.csr, validity })).chain, key: forServer.key },
    peer: { certificate: (await issuePeer(peers, { policy, member: 'etcd-0', hosts: hostsOf(peerUrl), csr: forPeer.csr, validity })).chain, key: forPeer.key },
    trust: { clients: clients.certificate, peers: peers.certificate },
    v2: false,
    gateway: 'off',
  })
  await writeRendered(member)
  const keyed = async (user: string) => {
    const { csr, key } = await request()
    return { ca: servers.certificate, certificate: (await issueClient(clients, { policy, user, csr, validity })).chain, key }
  }
  const [root, worker] = [await keyed('root'), await keyed('worker')]
  const process = await startEtcd({ binary, args: toCommand(member.arguments), directory: join(folder, 'run'), ready: { url: clientUrl, tls: { ca: root.ca, cert: root.certificate, key: root.key } } })
  const opened: Etcd3[] = []
  const client = (credentials: typeof root): Etcd3 => {
    const made = new Etcd3(etcd3Options({ hosts: clientUrl, ...credentials }))
    opened.push(made)
    return made
  }
  const auth = new EtcdAuth(v3Backend(client(root).auth, { versions: [version] }), { identity: { user: 'root' } })
  await auth.apply(await auth.plan(policy, options), { passwords: { human: PASSWORD } })
  return {
    auth,
    worker: () => client(worker),
    stop: async () => {
      for (const each of opened) each.close()
      await process.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
type Server = Awaited<ReturnType<typeof start>>

/** Sends requests until it is told to end, and tells what became of each. */
function traffic(server: Server): { end(): Promise<readonly Request[]> } {
  const sent: Request[] = []
  let over = false
  const send = async (kind: Kind, call: () => Promise<unknown>): Promise<void> => {
    const began = performance.now()
    const outcome = await call().then(
      () => 'done' as const,
      (error: unknown) => {
        const message = error instanceof Error ? error.message : String(error)
        if (message === REFUSED) return 'refused' as const
        if (kind === 'login' && message.startsWith('4 DEADLINE_EXCEEDED')) return 'late' as const
        throw error
      },
    )
    sent.push({ kind, began, took: performance.now() - began, outcome })
  }
  const deadline = () => ({ deadline: Date.now() + PATIENCE })
  const key = (loop: number, number: number): Buffer => Buffer.from(`/live/${loop}/${number % 100}`)
  const value = Buffer.from('value')
  const write = async (loop: number): Promise<void> => {
    const { kv } = server.worker()
    for (let number = 0; !over; number++) {
      const put = { key: key(loop, number), value }
      await send('write', () => (number % 2 === 0 ? kv.put(put, deadline()) : kv.txn({ compare: [{ ...put, target: 'Value', result: 'NotEqual' }], success: [{ request_put: put }], failure: [{ request_put: put }] }, deadline())))
    }
  }
  const read = async (loop: number): Promise<void> => {
    const { kv } = server.worker()
    for (let number = 0; !over; number++) await send('read', () => kv.range({ key: key(loop, number) }, deadline()))
  }
  const logIn = async (): Promise<void> => {
    const { auth } = server.worker()
    while (!over) await send('login', () => auth.authenticate({ name: 'human', password: PASSWORD }, deadline()))
  }
  const all = Promise.all([write(0), write(1), read(0), read(1), logIn()])
  all.catch(() => (over = true))
  return {
    end: async () => {
      over = true
      await all
      return sent
    },
  }
}

/** Writes for as long as the row wants, and tells when it wrote. */
async function writing({ auth }: Server, { apply, window }: Row): Promise<readonly Span[]> {
  const spans: Span[] = []
  for (let left = window, turn = 0; left > 0; turn++) {
    const plan = await auth.plan(turn % 2 === 0 ? policies.b : policies.a, options)
    if (plan.steps.length !== STEPS) throw new Error(`${plan.steps.length} steps, wanted ${STEPS}`)
    const stop = new AbortController()
    const at: number[] = []
    await auth
      .apply(plan, {
        ...apply,
        signal: stop.signal,
        onStep: () => {
          at.push(performance.now())
          if ((at.at(-1) ?? 0) - (at[0] ?? 0) > left) stop.abort()
        },
      })
      .catch((error: unknown) => {
        if (!isEtcdRbacError(error, 'ERR_ABORTED')) throw error
      })
    const span = { from: at[0] ?? 0, to: at.at(-1) ?? 0, steps: at.length }
    spans.push(span)
    left -= span.to - span.from
  }
  return spans
}

async function measure(server: Server, row: Row): Promise<Measured> {
  const working = traffic(server)
  let spans: readonly Span[]
  if (row.apply === undefined) {
    const from = performance.now()
    await delay(row.window)
    spans = [{ from, to: performance.now(), steps: 0 }]
  } else spans = await writing(server, row)
  const all = await working.end()
  // The next row begins where this one did.
  await server.auth.apply(await server.auth.plan(policies.a, options))
  // A login that waits from before the first write on waits for the last one all the same.
  const sent = all.filter(({ kind, began, took }) => spans.some(({ from, to }) => began <= to && from <= (kind === 'login' ? began + took : began)))
  const share = (kind: Kind) => {
    const ofKind = sent.filter((one) => one.kind === kind)
    return { sent: ofKind.length, refused: ofKind.filter(({ outcome }) => outcome === 'refused').length }
  }
  const logins = sent.filter(({ kind }) => kind === 'login')
  const times = logins.map(({ took }) => Math.round(took)).sort((a, b) => a - b)
  const [steps, between] = spans.reduce(([count, time], span) => [count + span.steps, time + span.to - span.from], [0, 0])
  return {
    row: row.name,
    steps,
    secondsFor1000Steps: row.apply === undefined ? undefined : between / (steps - spans.length),
    writes: share('write'),
    reads: share('read'),
    logins: { sent: logins.length, late: logins.filter(({ outcome }) => outcome === 'late').length, medianMs: times[times.length >> 1] ?? Number.NaN, worstMs: times.at(-1) ?? Number.NaN },
  }
}

function table(version: string, all: readonly Measured[]): string {
  const percent = ({ sent, refused }: Measured['writes']): string => `${((100 * refused) / sent).toFixed(1)} %`
  const time = (ms: number): string => (ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`)
  const login = ({ sent, late, medianMs, worstMs }: Measured['logins']): string =>
    late > 0 ? `${late} of ${sent} not within ${PATIENCE / 1_000} s` : `${time(medianMs)}, ${time(worstMs)} (${sent})`
  const lines = all.map(({ row, steps, secondsFor1000Steps, writes, reads, logins }) =>
    [row, secondsFor1000Steps === undefined ? '' : `${secondsFor1000Steps.toFixed(1)} s${steps < STEPS ? ` (${steps} done)` : ''}`, percent(writes), percent(reads), steps === 0 ? '' : String(Math.round((STEPS * (writes.refused + reads.refused)) / steps)), login(logins)].join(' | '),
  )
  return [`| etcd ${version} | 1,000 steps take | Put and Txn refused | Range refused | refused in 1,000 steps | login: median, worst (of) |`, '|---|---|---|---|---|---|', ...lines.map((line) => `| ${line} |`)].join('\n')
}

/** The etcd that was asked for. */
async function chosen(): Promise<readonly { readonly binary: string; readonly version: string }[]> {
  const found = await findEtcd()
  if (found?.from === 'ETCD_RBAC_ETCD') return [found]
  const cache = process.env['ETCD_RBAC_CACHE'] || cacheOfProject(dirname(fileURLToPath(import.meta.url)))
  const lanes = cache === undefined ? [] : (await readdir(cache).catch(() => [])).filter((name) => /^\d+\.\d+\.\d+$/.test(name)).sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  const wanted = process.env['ETCD_RBAC_LANES']?.split(',') ?? ['3.5.', '3.6.'].flatMap((minor) => lanes.find((name) => name.startsWith(minor)) ?? [])
  const missing = wanted.find((name) => !lanes.includes(name))
  if (missing !== undefined) throw new Error(`no etcd ${missing} in the cache; npm run fetch-etcd brings what test/lanes.json names`)
  if (wanted.length > 0 && cache !== undefined) return wanted.map((version) => ({ binary: join(cache, version, 'etcd'), version }))
  if (found === undefined) throw new Error('no etcd here; npm run fetch-etcd brings some, or ETCD_RBAC_ETCD names one')
  return [found]
}

const results: Record<string, readonly Measured[]> = {}
for (const { binary, version } of await chosen()) {
  const server = await start(binary, version)
  try {
    const all: Measured[] = []
    for (const row of rows) all.push(await measure(server, row))
    results[version] = all
    console.log(`${table(version, all)}\n`)
  } finally {
    await server.stop()
  }
}
const file = join(dirname(fileURLToPath(import.meta.url)), 'live-traffic.json')
await mkdir(dirname(file), { recursive: true })
await writeFile(file, `${JSON.stringify({ cores: availableParallelism(), node: process.version, results }, undefined, 2)}\n`)
console.log(`${availableParallelism()} cores, Node ${process.version}; all figures are in ${file}`)
