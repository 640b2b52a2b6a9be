/** What each kind of leaf certificate holds, as data; `issue.ts` folds over it. What a profile does not name is not in the certificate. */
import type { ExtendedUsage, KeyUsageBit } from './asn1/certificate.js'
import type { Purpose } from './authority.js'

/** A kind of leaf. */
export interface Profile {
  /** What the authority must issue. */
  readonly purpose: Purpose
  readonly usages: readonly ExtendedUsage[]
  /** keyUsage (RFC 5280 §4.2.1.3), by family of key. */
  readonly keyUsage: Readonly<Record<'ecdsa' | 'rsa' | 'ed25519', readonly KeyUsageBit[]>>
}

const signing: readonly KeyUsageBit[] = ['digitalSignature']
// TLS 1.2 with RSA key exchange, which Go offers on etcd 3.3 and 3.4, encrypts a secret to the server's key.
const serving: Profile['keyUsage'] = { ecdsa: signing, rsa: ['digitalSignature', 'keyEncipherment'], ed25519: signing }

export const profiles: {
  readonly client: Profile
  readonly server: Profile
  readonly serverOnly: Profile
  readonly peer: Profile
} = {
  // clientAuth only: with more, or with none, the holder could also pose as a server.
  client: { purpose: 'client', usages: ['clientAuth'], keyUsage: { ecdsa: signing, rsa: signing, ed25519: signing } },
  // The HTTP gateway inside etcd dials the member with the member's own server certificate (etcd `embed/serve.go`).
  server: { purpose: 'server', usages: ['serverAuth', 'clientAuth'], keyUsage: serving },
  serverOnly: { purpose: 'server', usages: ['serverAuth'], keyUsage: serving },
  // A member is both ends of its peer connections.
  peer: { purpose: 'peer', usages: ['serverAuth', 'clientAuth'], keyUsage: serving },
}

/** The profile of a server certificate, by what the gateway inside etcd dials the member with. */
export function serverProfile(gateway: 'server-certificate' | 'own-certificate' | 'off' = 'server-certificate'): Profile {
  if (!['server-certificate', 'own-certificate', 'off'].includes(gateway)) throw new TypeError("gateway must be 'server-certificate', 'own-certificate' or 'off'")
  return gateway === 'server-certificate' ? profiles.server : profiles.serverOnly
}
