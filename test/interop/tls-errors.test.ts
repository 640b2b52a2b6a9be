/** Errors of TLS as they really come, from Node, grpc-js, etcd's log and its gateway, each produced on a real etcd and explained. */
import { writeFile } from 'node:fs/promises'
import { request as plainRequest } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, createSecureContext, type ConnectionOptions } from 'node:tls'
import { Etcd3 } from 'etcd3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePorts, startEtcd } from '../../examples/support/etcd.js'
import { httpsFetch, type HttpsFetchOptions } from '../../examples/support/https-fetch.js'
import { EtcdAuth, etcd3Options, v3Backend } from '../../src/auth/index.js'
import { createCa, createCsr, days, explainTlsError, generateKeyPair, issueClient, issueGateway, issueServer, type Authority, type Issued, type TlsFault, type Validity } from '../../src/pki/index.js'
import { definePolicy } from '../../src/policy/index.js'
import { testLanes, type Lane } from '../support/cluster.js'
import { makeMaterial, type Keyed, type Material } from '../support/material.js'
import { startMember, type OneMember } from '../support/one-member.js'

const { crypto } = globalThis
const policy = definePolicy({
  users: { root: 'certificate', alice: 'certificate' },
  members: ['etcd-0'],
  authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers', 'etcd-odd'],
  v3: { roles: {}, bindings: { root: ['root'] } },
})
const minorOf = ({ version }: Lane): number => Number(/(?<=^3\.)\d+/.exec(version)?.[0])
const hours = (from: number, until: number): Validity => ({ notBefore: new Date(Date.now() + from * 3_600_000), notAfter: new Date(Date.now() + until * 3_600_000) })
// Within the authority's own validity, which begins ten minutes ago.
const EXPIRED = hours(-0.15, -0.02)
const EARLY = hours(2, 20)

async function keyed(issue: (csr: string) => Promise<Issued>): Promise<Keyed> {
  const keys = await generateKeyPair(crypto, 'ecdsa-p256', { extractable: true })
  return { certificate: (await issue(await createCsr(crypto, { signer: keys.signer }))).chain, key: await keys.exportPkcs8() }
}

/** Its gateway is on and has no certificate of its own; and it trusts, for clients, an authority that issues what is not for them. */
async function start(lane: Lane): Promise<OneMember & { readonly odd: Authority<'server'>; readonly alice: Keyed }> {
  const odd = await createCa(crypto, { name: 'etcd-odd', signer: (await generateKeyPair(crypto, 'ecdsa-p256')).signer, validity: days(30).from(new Date(), { backdateMinutes: 10 }), issues: ['server'] })
  const member = await startMember({ lane, policy, user: 'alice', trusted: ({ clients }) => clients.certificate + odd.certificate, gateway: 'on' })
  return { ...member, odd, alice: member.user }
}

/** The error of a handshake, or of what comes behind it: only reads, so that no write is answered by a reset before the alert is seen. */
function handshake(url: string, options: ConnectionOptions): Promise<unknown> {
  return new Promise((settle) => {
    const { hostname, port } = new URL(url)
    const socket = connect({ host: hostname, port: Number(port), ...options })
    socket.on('error', (error) => {
      socket.destroy()
      settle(error)
    })
    socket.on('close', () => settle(undefined))
    socket.on('data', () => undefined)
    socket.setTimeout(3_000, () => socket.destroy())
  })
}

/** The error of an HTTPS request, or its answer. */
async function ask(url: string, tls: HttpsFetchOptions, body?: string): Promise<{ readonly error?: unknown; readonly status?: number; readonly text?: string }> {
  const fetch = httpsFetch(tls)
  try {
    const answer = await fetch(url, body === undefined ? {} : { method: 'POST', body })
    return { status: answer.status, text: await answer.text() }
  } catch (error) {
    return { error }
  } finally {
    fetch.close()
  }
}

/** The error of a call of etcd3. */
async function call(hosts: string, ca: string, { certificate, key }: Keyed): Promise<unknown> {
  const etcd = new Etcd3(etcd3Options({ hosts, ca, certificate, key }))
  try {
    return await etcd.kv.range({ key: Buffer.from('x') }, { deadline: Date.now() + 5_000 }).then(() => undefined, (error: unknown) => error)
  } finally {
    etcd.close()
  }
}

const lanes = await testLanes()
test('there is at least one etcd that fails', () => {
  expect(lanes.length).toBeGreaterThan(0)
})

describe.each(lanes)('etcd $name', (lane) => {
  // Before Go 1.20 one alert stood for all; etcd 3.3 and 3.4 are built with older ones.
  const plainly = (code: TlsFault): TlsFault => (minorOf(lane) >= 5 ? code : 'client-refused')
  let running: Awaited<ReturnType<typeof start>>
  let strangers: Material
  beforeAll(async () => {
    running = await start(lane)
    strangers = await makeMaterial(policy, 'three authorities')
  })
  afterAll(async () => {
    await running.stop()
  })

  const codeOf = (error: unknown, context?: Parameters<typeof explainTlsError>[1]): string =>
    explainTlsError(error, context)?.code ?? `unexplained: ${error instanceof Error ? `${String((error as { code?: unknown }).code)} ${error.message}` : JSON.stringify(error)}`

  /** The first line that etcd logs while something is done, and that matches. */
  async function logged(match: RegExp, run: () => Promise<unknown>): Promise<string> {
    const before = running.etcd.log().length
    for (const until = Date.now() + 10_000; Date.now() < until; ) {
      await run()
      const line = running.etcd.log().slice(before).split('\n').find((one) => match.test(one))
      if (line !== undefined) return line
      await delay(20)
    }
    throw new Error(`no line of ${String(match)} in\n${running.etcd.log().slice(before)}`)
  }
  const REJECTED = /rejected connection/

  /** What the client is told, by TLS and by gRPC, and what etcd's log says. */
  const byClient = (shown: () => Promise<Keyed | undefined>, alert: TlsFault, log: TlsFault) => async (): Promise<void> => {
    const { client, tls } = running
    const pair = await shown()
    const options = { ca: tls.ca, ...(pair === undefined ? {} : { cert: pair.certificate, key: pair.key }) }
    expect(codeOf(await handshake(client, options))).toBe(alert)
    if (pair !== undefined) {
      let error: unknown
      // TLS 1.3 has opened the connection on this side already: what is written may be answered by a reset before the alert is read.
      for (let tries = 0; tries < 20 && explainTlsError(error) === undefined; tries++) error = await call(client, tls.ca, pair)
      expect(codeOf(error)).toBe(alert)
    }
    expect(codeOf(await logged(REJECTED, () => handshake(client, options)))).toBe(log)
  }

  const ofAlice = (validity: Validity, by = () => running.material) => () => keyed((csr) => issueClient(by().clients, { policy, user: 'alice', csr, validity }))
  test('no certificate of the client', byClient(async () => undefined, plainly('client-missing'), 'client-missing'))
  test('a client of another authority', byClient(() => ofAlice(strangers.validity, () => strangers)(), plainly('client-authority'), 'client-authority'))
  test('a client that has expired', byClient(ofAlice(EXPIRED), plainly('client-time'), 'client-expired'))
  test('a fresh client of a clock that is ahead', byClient(ofAlice(EARLY), plainly('client-time'), 'client-not-yet-valid'))
  test('a client without clientAuth', byClient(
    () => keyed((csr) => issueServer(running.odd, { policy, member: 'etcd-0', hosts: ['127.0.0.1'], csr, validity: running.material.validity, gateway: 'off' })),
    'client-refused', 'client-purpose'))

  test('a client that trusts another authority', async () => {
    const { client, tls, alice } = running
    const other = { ...tls, ca: strangers.servers.certificate }
    expect(codeOf((await ask(`${client}/health`, other)).error)).toBe('server-authority')
    expect(codeOf(await call(client, other.ca, alice))).toBe('server-authority')
  })

  test('a program in Go that trusts another authority', async () => {
    const { material } = running
    const nobody = await keyed((csr) => issueGateway(material.clients, { policy, uri: 'urn:example:nobody', csr, validity: material.validity }))
    let log = ''
    const line = await logged(/rejected connection.*remote error/, async () => {
      log = await proxyLog(nobody, strangers.servers.certificate, /x509:/)
    })
    // Older Go sends "bad certificate" for everything.
    expect(['server-refused', 'server-authority']).toContain(codeOf(line))
    expect(codeOf(log.split('\n').find((one) => one.includes('x509:')))).toBe('server-authority')
  })

  test('a name that the server certificate does not have', async () => {
    const { client, tls, alice } = running
    const named = client.replace('127.0.0.1', 'localhost')
    expect(codeOf((await ask(`${named}/health`, tls)).error)).toBe('server-name')
    expect(codeOf(await call(named, tls.ca, alice))).toBe('server-name')
  })

  test.each<[string, TlsFault, Validity]>([['expired', 'server-expired', EXPIRED], ['not yet valid', 'server-not-yet-valid', EARLY]])('a server certificate that is %s', async (_, code, validity) => {
    const { client, tls, alice, material, server, show } = running
    await show(await keyed((csr) => issueServer(material.servers, { policy, member: 'etcd-0', hosts: ['127.0.0.1'], csr, validity })))
    try {
      expect(codeOf((await ask(`${client}/health`, tls)).error)).toBe(code)
      expect(codeOf(await call(client, tls.ca, alice))).toBe(code)
    } finally {
      await show(server)
    }
  })

  test("a client's certificate shown by the server", async () => {
    const { client, tls, alice, material, server, show } = running
    await show(alice)
    try {
      expect(codeOf((await ask(`${client}/health`, { ...tls, ca: material.clients.certificate })).error)).toBe('server-purpose')
    } finally {
      await show(server)
    }
  })

  test('a key on disk that is not that of the certificate', async () => {
    const { client, tls, alice, server, show } = running
    await show({ certificate: server.certificate, key: alice.key })
    try {
      expect(codeOf(await handshake(client, tls))).toBe('server-files')
    } finally {
      await show(server)
    }
  })

  test('a TLS that etcd does not speak', async () => {
    const { client, tls } = running
    expect(codeOf(await handshake(client, { ...tls, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }))).toBe('protocol-version')
  })

  test('TLS to a plain port', async () => {
    const { plain, tls, alice } = running
    const wrong = plain.replace('http:', 'https:')
    expect(codeOf((await ask(`${wrong}/health`, tls)).error)).toBe('tls-to-plain')
    expect(codeOf(await call(wrong, tls.ca, alice))).toBe('tls-to-plain')
  })

  test('a plain request to TLS', async () => {
    const { client } = running
    const ask = (): Promise<unknown> =>
      new Promise((settle) => {
        const request = plainRequest(`${client.replace('https:', 'http:')}/health`, (answer) => {
          let text = ''
          answer.on('data', (chunk) => (text += String(chunk)))
          answer.on('end', () => settle({ status: answer.statusCode, text }))
        })
        request.on('error', settle)
        request.end()
      })
    const answer = await ask()
    console.info(`etcd ${lane.name}, plain to TLS: ${answer instanceof Error ? `${String((answer as { code?: unknown }).code)} ${answer.message}` : JSON.stringify(answer)}`)
    expect(codeOf(await logged(/does not look like a TLS handshake|HTTP request to an HTTPS server/, ask))).toBe('plain-to-tls')
  })

  test('the gateway, whose member trusts no certificate of the authority of servers', async () => {
    const { client, tls, material } = running
    const nobody = await keyed((csr) => issueGateway(material.clients, { policy, uri: 'urn:example:nobody', csr, validity: material.validity }))
    const { status, text = '' } = await ask(`${client}${minorOf(lane) >= 4 ? '/v3' : '/v3beta'}/kv/range`, { ca: tls.ca, cert: nobody.certificate, key: nobody.key }, '{"key":"YQ=="}')
    console.info(`etcd ${lane.name}, gateway: ${String(status)} ${text}`)
    expect(status).toBe(503)
    expect(codeOf(text, { status: 503 })).toBe('gateway-unreachable')
  })

  /** What the gRPC proxy logs, until it says something, that shows this certificate, and trusts that authority. */
  async function proxyLog({ certificate, key }: Keyed, ca: string, says = /^/): Promise<string> {
    const { client, directory } = running
    const [port] = await freePorts(1)
    for (const [name, text] of [['crt', certificate], ['key', key], ['ca.crt', ca]] as const) await writeFile(`${directory}/proxy.${name}`, text)
    const args = ['grpc-proxy', 'start', `--endpoints=${client}`, `--listen-addr=127.0.0.1:${String(port)}`, `--cert=${directory}/proxy.crt`, `--key=${directory}/proxy.key`, `--cacert=${directory}/proxy.ca.crt`]
    try {
      const proxy = await startEtcd({ binary: lane.binary, args, directory: `${directory}/proxy`, ready: { url: `http://127.0.0.1:${String(port)}`, health: false }, timeoutMs: 20_000 })
      for (const until = Date.now() + 10_000; !says.test(proxy.log()) && Date.now() < until; ) await delay(20)
      await proxy.stop()
      return proxy.log()
    } catch (error) {
      return (error as Error).message
    }
  }

  // 3.3 starts with it all the same.
  if (minorOf(lane) >= 4)
    test('the gRPC proxy with a Common Name does not start, and without does', async () => {
      const { alice, material } = running
      expect(codeOf(await proxyLog(alice, material.servers.certificate))).toBe('proxy-common-name')
      const nobody = await keyed((csr) => issueGateway(material.clients, { policy, uri: 'urn:example:nobody', csr, validity: material.validity }))
      expect(explainTlsError(await proxyLog(nobody, material.servers.certificate))).toBeUndefined()
    })

  if (minorOf(lane) >= 4)
    // The last, since it turns auth on: before, nobody's name is looked at.
    test('the gateway, asked by somebody with a Common Name', async () => {
      const { client, tls, odd, server, material, show } = running
      // The member trusts this one for clients, so that the gateway can dial; it reads the file again whenever it tries.
      const root = new Etcd3(etcd3Options({ hosts: client, ca: material.servers.certificate, ...(await material.client('root')) }))
      const auth = new EtcdAuth(v3Backend(root.auth, { versions: [lane.version], crypto }), { identity: { user: 'root' } })
      await auth.apply(await auth.plan(policy, { unmanaged: 'report', enable: true, acknowledgeOpenV2: true, acknowledgePasswordsInLog: true })).finally(() => root.close())
      const dialling = await keyed((csr) => issueServer(odd, { policy, member: 'etcd-0', hosts: ['127.0.0.1'], csr, validity: material.validity }))
      await show(dialling)
      try {
        const both = { ...tls, ca: odd.certificate }
        let answer = await ask(`${client}/v3/kv/range`, both, '{"key":"YQ=="}')
        for (const until = Date.now() + 60_000; answer.status === 503 && Date.now() < until; ) {
          await delay(100)
          answer = await ask(`${client}/v3/kv/range`, both, '{"key":"YQ=="}')
        }
        expect(answer.status).toBe(400)
        expect(codeOf(answer.text, { status: 400 })).toBe('gateway-common-name')
      } finally {
        await show(server)
      }
    })
})

describe('Node', () => {
  test('with files that do not belong together, or are none', async () => {
    const { clients } = await makeMaterial(policy, 'three authorities')
    const [one, another] = await Promise.all([0, 1].map(() => keyed((csr) => issueClient(clients, { policy, user: 'alice', csr, validity: hours(-0.05, 24) }))))
    const of = (options: Parameters<typeof createSecureContext>[0]): unknown => {
      try {
        return createSecureContext(options)
      } catch (error) {
        return error
      }
    }
    expect(explainTlsError(of({ cert: one!.certificate, key: another!.key }))?.code).toBe('key-mismatch')
    expect(explainTlsError(of({ cert: 'no certificate', key: one!.key }))?.code).toBe('not-pem')
  })
})
