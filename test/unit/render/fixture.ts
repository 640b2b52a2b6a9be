// Certificates by structure only: rendering reads names and keys, and verifies nothing.
import { concatBytes, utf8 } from '../../../src/bytes.js'
import { isEtcdRbacError } from '../../../src/errors.js'
import { writePem } from '../../../src/pki/pem.js'
import { alternativeNameOf } from '../../../src/pki/hosts.js'
import type { KeyedCertificate, MemberOptions } from '../../../src/render/index.js'

function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(...parts)
  const { length } = content
  const header = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff]
  return concatBytes(Uint8Array.from(header), content)
}
const sequence = (...parts: readonly Uint8Array[]): Uint8Array => tlv(0x30, ...parts)
const name = (commonName: string | undefined): Uint8Array =>
  commonName === undefined ? sequence() : sequence(tlv(0x31, sequence(tlv(0x06, Uint8Array.of(0x55, 4, 3)), tlv(0x0c, utf8(commonName)))))
const algorithm = sequence(tlv(0x06, Uint8Array.of(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2)))

function addressOf(ip: string): Uint8Array {
  const name = alternativeNameOf(ip)
  if (name.kind !== 'ip') throw new Error(`${ip} is no IP address`)
  return name.address
}

export interface Parts {
  readonly subject?: string
  readonly issuer: string
  readonly key: string
  readonly dns?: readonly string[]
  /** IP addresses. */
  readonly ips?: readonly string[]
  /** Any use unless told otherwise, as without the extension. */
  readonly usages?: readonly ('clientAuth' | 'serverAuth')[]
}

export function certificate({ subject, issuer, key, dns = [], ips = [], usages }: Parts): string {
  const alternative = sequence(...dns.map((each) => tlv(0x82, utf8(each))), ...ips.map((each) => tlv(0x87, addressOf(each))))
  const purposes = (usages ?? []).map((usage) => tlv(0x06, Uint8Array.of(0x2b, 6, 1, 5, 5, 7, 3, usage === 'serverAuth' ? 1 : 2)))
  const extensions = [
    ...(dns.length + ips.length === 0 ? [] : [sequence(tlv(0x06, Uint8Array.of(0x55, 0x1d, 0x11)), tlv(0x04, alternative))]),
    ...(usages === undefined ? [] : [sequence(tlv(0x06, Uint8Array.of(0x55, 0x1d, 0x25)), tlv(0x04, sequence(...purposes)))]),
  ]
  const time = tlv(0x17, utf8('260101000000Z'))
  const body = sequence(
    tlv(0xa0, tlv(0x02, Uint8Array.of(2))), tlv(0x02, Uint8Array.of(1)), algorithm, name(issuer), sequence(time, time), name(subject),
    sequence(algorithm, tlv(0x03, Uint8Array.of(0), utf8(key))), ...(extensions.length === 0 ? [] : [tlv(0xa3, sequence(...extensions))]),
  )
  return writePem('certificate', sequence(body, algorithm, tlv(0x03, Uint8Array.of(0, 1))))
}

export const privateKey = (label: string): string => writePem('private key', sequence(tlv(0x04, utf8(label))))
/** Named for every address that a test advertises, unless told otherwise. */
export const keyed = (parts: Parts): KeyedCertificate => ({ certificate: certificate({ ips: ['10.0.0.10', '10.0.0.20', '127.0.0.1'], ...parts }), key: privateKey(parts.key) })

export const authority = (subject: string, key = subject): string => certificate({ subject, issuer: subject, key })
export const clientsAuthority: string = authority('etcd-clients')
export const serversAuthority: string = authority('etcd-servers')
export const peersAuthority: string = authority('etcd-peers')

/** A member with three authorities. */
export const member: MemberOptions = {
  version: '3.5.30',
  name: 'etcd-0',
  clientUrls: { listen: ['https://10.0.0.10:2379', 'https://127.0.0.1:2379'], advertise: ['https://10.0.0.10:2379'] },
  peerUrls: { listen: ['https://10.0.0.10:2380'], advertise: ['https://10.0.0.10:2380'] },
  cluster: { members: { 'etcd-0': ['https://10.0.0.10:2380'], 'etcd-1': ['https://10.0.0.11:2380'] }, state: 'new', token: 'site-1' },
  dataDirectory: '/var/lib/etcd',
  certificatesDirectory: '/etc/etcd/tls',
  server: keyed({ issuer: 'etcd-servers', key: 'server-key' }),
  peer: keyed({ issuer: 'etcd-peers', key: 'peer-key' }),
  trust: { clients: clientsAuthority, peers: peersAuthority },
  v2: false,
  gateway: 'off',
}

/** The code of what `run` throws, or the thing itself. */
export function codeOf(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return isEtcdRbacError(error) ? error.code : error
  }
}
