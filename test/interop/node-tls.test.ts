/** Node's TLS with our material: the same handshakes that etcd3 and a fetch with certificates make. */
import { X509Certificate } from 'node:crypto'
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createCa, createCsr, createIntermediateCa, crossSign, generateKeyPair, issueClient, issuePeer, issueServer, openCa, type Authority, type Issued, type KeyAlgorithm, type Purpose,
} from '../../src/pki/index.js'
import { httpsFetch, type HttpsFetchOptions } from '../../examples/support/https-fetch.js'
import { caValidity, policy, validity } from '../support/certificates.js'

const { crypto } = globalThis

interface Shown {
  readonly cert: string
  readonly key: string
}

async function keyed(algorithm: KeyAlgorithm, issue: (csr: string) => Promise<Issued>): Promise<Shown & { readonly leaf: string }> {
  const keys = await generateKeyPair(crypto, algorithm, { extractable: true })
  const { chain, certificate } = await issue(await createCsr(crypto, { signer: keys.signer }))
  return { cert: chain, leaf: certificate, key: await keys.exportPkcs8() }
}

const serverOf = (authority: Authority<'server'>, algorithm: KeyAlgorithm, hosts: readonly string[] = ['127.0.0.1'], gateway?: 'off') =>
  keyed(algorithm, (csr) => issueServer(authority, { policy, member: 'etcd-0', hosts, csr, validity, ...(gateway === undefined ? {} : { gateway }) }))
const clientOf = (authority: Authority<'client'>, algorithm: KeyAlgorithm) => keyed(algorithm, (csr) => issueClient(authority, { policy, user: 'alice', csr, validity }))

/** What the server saw of the client, and the client of the server. */
interface Met {
  readonly authorized: boolean
  /** OpenSSL's word for why not. */
  readonly reason: string | undefined
  readonly commonName: string | undefined
  readonly protocol: string | null
}

const servers: { close(): unknown; closeAllConnections(): void }[] = []
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

/** A server that wants a certificate; `judges` lets one in without, to say what is wrong with it. */
async function serve(shown: Shown, ca: string, { judges = false, version = 'TLSv1.3' }: { judges?: boolean; version?: 'TLSv1.2' | 'TLSv1.3' } = {}): Promise<string> {
  const options: ServerOptions = { ...shown, ca, requestCert: true, rejectUnauthorized: !judges, minVersion: version, maxVersion: version }
  const server = createServer(options, ({ socket }, response) => {
    if (!(socket instanceof TLSSocket)) throw new Error('a request without TLS')
    // Empty where there was no certificate; and the error is its code, whatever the declaration says.
    const peer: { readonly subject?: { readonly CN?: string } } = socket.getPeerCertificate()
    const reason: unknown = socket.authorizationError
    const met: Met = { authorized: socket.authorized, reason: typeof reason === 'string' ? reason : undefined, commonName: peer.subject?.CN, protocol: socket.getProtocol() }
    response.end(JSON.stringify(met))
  })
  servers.push(server)
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle))
  return `https://127.0.0.1:${String((server.address() as AddressInfo).port)}/`
}

/** What the server saw, or the code of the error on this side. */
async function meet(url: string, tls: HttpsFetchOptions): Promise<Met | string> {
  const fetch = httpsFetch(tls)
  try {
    return JSON.parse(await (await fetch(url)).text()) as Met
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error)
  } finally {
    fetch.close()
  }
}

/** How a server ends a handshake: by an alert, or by the end of a connection that TLS 1.3 had already opened on this side. */
const CLOSED = expect.stringMatching(/^(?:ECONNRESET|EPIPE|ERR_SSL_\w+)$/) as string

describe.each(['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048', 'ed25519'] as const)('with authorities and keys of %s', (algorithm) => {
  let authorities: { readonly clients: Authority<'client'>; readonly servers: Authority<'server'>; readonly peers: Authority<'peer'> }
  let server: Shown
  let alice: Shown
  beforeAll(async () => {
    const make = async <const D extends Purpose>(name: string, issues: readonly D[]) =>
      createCa(crypto, { name, signer: (await generateKeyPair(crypto, algorithm)).signer, validity: caValidity, issues })
    const [clients, servers, peers] = await Promise.all([make('etcd-clients', ['client']), make('etcd-servers', ['server']), make('etcd-peers', ['peer'])])
    authorities = { clients, servers, peers }
    ;[server, alice] = await Promise.all([serverOf(servers, algorithm), clientOf(clients, algorithm)])
  })
  const trust = (): string => authorities.servers.certificate

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('server and client know each other by their certificates, over %s', async (version) => {
    const url = await serve(server, authorities.clients.certificate, { version })
    expect(await meet(url, { ca: trust(), ...alice })).toEqual({ authorized: true, commonName: 'alice', protocol: version })
  })

  test('a server with a certificate for another address is refused by the client', async () => {
    for (const hosts of [['127.0.0.2'], ['localhost'], ['::1']]) {
      const url = await serve(await serverOf(authorities.servers, algorithm, hosts), authorities.clients.certificate)
      expect(await meet(url, { ca: trust(), ...alice }), hosts[0]).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    }
  })

  test('a server with a certificate of another authority is refused by the client', async () => {
    const peer = await keyed(algorithm, (csr) => issuePeer(authorities.peers, { policy, member: 'etcd-0', hosts: ['127.0.0.1'], csr, validity }))
    const url = await serve(peer, authorities.clients.certificate)
    expect(await meet(url, { ca: trust(), ...alice })).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
    expect(await meet(url, { ca: authorities.peers.certificate, ...alice })).toMatchObject({ authorized: true })
  })

  test('a user who poses as a server is refused by the client, even one that trusts the authority of users', async () => {
    const url = await serve(alice, authorities.clients.certificate)
    expect(await meet(url, { ca: authorities.clients.certificate, ...alice })).toBe('INVALID_PURPOSE')
  })

  test('a client with a certificate of the authority of servers or of peers is refused by the server, and so is one without', async () => {
    const [url, judge] = await Promise.all([false, true].map((judges) => serve(server, authorities.clients.certificate, { judges })))
    const peer = await keyed(algorithm, (csr) => issuePeer(authorities.peers, { policy, member: 'etcd-0', hosts: ['127.0.0.1'], csr, validity }))
    // Node sends what it trusts behind its own leaf, so there the root of the servers came along.
    for (const [shown, reason] of [[server, 'SELF_SIGNED_CERT_IN_CHAIN'], [peer, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'], [{}, 'UNABLE_TO_GET_ISSUER_CERT']] as const) {
      expect(await meet(url!, { ca: trust(), ...shown })).toEqual(CLOSED)
      expect(await meet(judge!, { ca: trust(), ...shown })).toMatchObject({ authorized: false, reason })
    }
    expect(await meet(url!, { ca: trust(), ...alice })).toMatchObject({ authorized: true })
  })

  test('a certificate for serving only is no client, and one for serving and dialling is', async () => {
    const judge = await serve(server, authorities.servers.certificate, { judges: true })
    expect(await meet(judge, { ca: trust(), ...(await serverOf(authorities.servers, algorithm, ['127.0.0.1'], 'off')) })).toMatchObject({ authorized: false, reason: 'INVALID_PURPOSE' })
    expect(await meet(judge, { ca: trust(), ...server })).toMatchObject({ authorized: true })
  })
})

describe('under an intermediate authority', () => {
  async function underRoot<const D extends 'client' | 'server'>(issues: D, algorithm: KeyAlgorithm): Promise<{ readonly root: string; readonly authority: Authority<D> }> {
    const [rootKeys, keys] = await Promise.all([generateKeyPair(crypto, algorithm), generateKeyPair(crypto, 'ecdsa-p256')])
    const root = await createCa(crypto, { name: 'etcd-ca', signer: rootKeys.signer, validity: caValidity, issues: [issues], pathLength: 1 })
    const below = await createIntermediateCa(root, { name: `etcd-${issues}s`, signer: keys.signer, validity: caValidity, issues: [issues] })
    // Opened again, as an installer that runs a second time does.
    return { root: root.certificate, authority: await openCa(crypto, { certificate: below.certificate, signer: keys.signer, issues: [issues], parents: below.parents }) }
  }

  test.each(['ecdsa-p256', 'rsa-2048'] as const)('the chain has the leaf first, without the root, and both sides know each other by it (root of %s)', async (algorithm) => {
    const [clients, servers] = await Promise.all([underRoot('client', algorithm), underRoot('server', algorithm)])
    const [server, alice] = await Promise.all([serverOf(servers.authority, algorithm), clientOf(clients.authority, 'ecdsa-p256')])
    const blocks = alice.cert.match(/-----BEGIN [^]+?-----END CERTIFICATE-----\n/g)!
    expect(blocks.map((pem) => new X509Certificate(pem).subject)).toEqual(['CN=alice', 'CN=etcd-clients'])
    const [leaf = '', above = ''] = blocks
    expect(new X509Certificate(leaf).checkIssued(new X509Certificate(above))).toBe(true)

    const url = await serve(server, clients.root)
    expect(await meet(url, { ca: servers.root, ...alice })).toMatchObject({ authorized: true, commonName: 'alice' })
    // Without what is behind the leaf, neither finds the way to the root.
    expect(await meet(await serve({ cert: server.leaf, key: server.key }, clients.root), { ca: servers.root, ...alice })).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
    expect(await meet(url, { ca: servers.root, cert: alice.leaf, key: alice.key })).toEqual(CLOSED)
    // In the other order, the first certificate is not that of the key.
    await expect(serve({ cert: blocks.toReversed().join(''), key: alice.key }, clients.root)).rejects.toThrow('key values mismatch')
  })

  test('a successor is known to those who trust only its predecessor, by the certificate that it signed for it, and to those who trust only the successor', async () => {
    const make = async (name: string, pathLength: number) => createCa(crypto, { name, signer: (await generateKeyPair(crypto, 'ecdsa-p256')).signer, validity: caValidity, issues: ['client', 'server'], pathLength })
    const [old, successor] = await Promise.all([make('etcd-ca', 1), make('etcd-clients', 0)])
    const bridge = await crossSign(old, successor, { validity: caValidity })
    const [server, alice] = await Promise.all([serverOf(successor, 'ecdsa-p256'), clientOf(successor, 'ecdsa-p256')])
    const crossed = { cert: alice.leaf + bridge, key: alice.key }
    for (const trust of [old, successor]) {
      const url = await serve({ cert: server.leaf + bridge, key: server.key }, trust.certificate)
      expect(await meet(url, { ca: trust.certificate, ...crossed })).toMatchObject({ authorized: true, commonName: 'alice' })
    }
    expect(await meet(await serve({ cert: server.leaf, key: server.key }, old.certificate), { ca: old.certificate, ...crossed })).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  })
})
