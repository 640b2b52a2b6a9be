/** Authorities, certificates and keys for test clusters, made by the library itself. */
import { hostsOf, issueClient, issuePeer, issueServer, createCa, createCsr, createIntermediateCa, days, generateKeyPair, type Authority, type Purpose, type Validity } from '../../src/pki/index.js'
import type { Policy } from '../../src/policy/index.js'

export interface Keyed {
  readonly certificate: string
  readonly key: string
}

export interface Material {
  readonly clients: Authority<'client'>
  readonly servers: Authority<'server'>
  readonly peers: Authority<'peer'>
  readonly validity: Validity
  server(member: string, urls: readonly string[]): Promise<Keyed>
  peer(member: string, urls: readonly string[], commonName?: string): Promise<Keyed>
  client(user: string): Promise<Keyed>
}

const { crypto } = globalThis

/** Three authorities, each under a root of its own, or one for all purposes. */
export type Trust = 'three authorities' | 'three intermediates' | 'one authority'

/** Material for a policy. */
export async function makeMaterial(policy: Policy, trust: Trust): Promise<Material> {
  const now = new Date()
  const validity = days(2).from(now, { backdateMinutes: 5 })
  const signer = async () => (await generateKeyPair(crypto, 'ecdsa-p256')).signer
  const years = days(30).from(now, { backdateMinutes: 10 })
  const one = trust === 'one authority' ? await createCa(crypto, { name: 'etcd-ca', signer: await signer(), validity: years, issues: ['client', 'server', 'peer'] }) : undefined
  const make = async <const D extends Purpose>(name: string, issues: D): Promise<Authority<D>> => {
    if (trust !== 'three intermediates') return createCa(crypto, { name, signer: await signer(), validity: years, issues: [issues] })
    const root = await createCa(crypto, { name: `${name}-root`, signer: await signer(), validity: years, issues: [issues], pathLength: 1 })
    return createIntermediateCa(root, { name, signer: await signer(), validity: years, issues: [issues] })
  }
  const clients = one ?? (await make('etcd-clients', 'client'))
  const servers = one ?? (await make('etcd-servers', 'server'))
  const peers = one ?? (await make('etcd-peers', 'peer'))
  const request = async (commonName?: string): Promise<{ csr: string; key: string }> => {
    const keys = await generateKeyPair(crypto, 'ecdsa-p256', { extractable: true })
    return { csr: await createCsr(crypto, { signer: keys.signer, ...(commonName === undefined ? {} : { commonName }) }), key: await keys.exportPkcs8() }
  }
  return {
    clients,
    servers,
    peers,
    validity,
    server: async (member, urls) => {
      const { csr, key } = await request()
      return { certificate: (await issueServer(servers, { policy, member, hosts: hostsOf(...urls), csr, validity })).chain, key }
    },
    peer: async (member, urls, commonName) => {
      const { csr, key } = await request()
      const options = { policy, member, hosts: hostsOf(...urls), csr, validity }
      return { certificate: (await issuePeer(peers, commonName === undefined ? options : { ...options, commonName })).chain, key }
    },
    client: async (user) => {
      const { csr, key } = await request(user)
      return { certificate: (await issueClient(clients, { policy, user, csr, validity })).chain, key }
    },
  }
}
