/** Authorities, certificates and keys for test clusters, made by the library itself. */
import { hostsOf, issueClient, issuePeer, issueServer, createCa, createCsr, days, generateKeyPair, type Authority, type Validity } from '../../src/pki/index.js'
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

/** Material for a policy: three authorities, or one for all purposes. */
export async function makeMaterial(policy: Policy, trust: 'three authorities' | 'one authority'): Promise<Material> {
  const now = new Date()
  const validity = days(2).from(now, { backdateMinutes: 5 })
  const signer = async () => (await generateKeyPair(crypto, 'ecdsa-p256')).signer
  const years = days(30).from(now, { backdateMinutes: 10 })
  const one = trust === 'one authority' ? await createCa(crypto, { name: 'etcd-ca', signer: await signer(), validity: years, issues: ['client', 'server', 'peer'] }) : undefined
  const clients = one ?? (await createCa(crypto, { name: 'etcd-clients', signer: await signer(), validity: years, issues: ['client'] }))
  const servers = one ?? (await createCa(crypto, { name: 'etcd-servers', signer: await signer(), validity: years, issues: ['server'] }))
  const peers = one ?? (await createCa(crypto, { name: 'etcd-peers', signer: await signer(), validity: years, issues: ['peer'] }))
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
