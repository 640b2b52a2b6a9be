/** What every client of etcd is given, whatever the program: endpoints, the authority of the servers, its own certificate and key. */
import type { PemInput } from '../pki/pem.js'
import { checkPath, checkReachable } from './check.js'
import { distinctPaths } from './distinct-paths.js'
import { materialFiles, publicFile, readCertificates, readMaterial, type KeyedCertificate, type Material } from './material.js'
import type { RenderedDirectory, RenderedFile } from './rendered.js'

/** A client of etcd on a host. */
export interface ClientMaterialOptions {
  /** Client URLs of the members, or of the TCP forwarder. */
  readonly endpoints: readonly string[]
  /** Its certificate, whose Common Name is its user, and its key. */
  readonly client: KeyedCertificate
  /** Who issued the members' server certificates. */
  readonly serverAuthority: PemInput<'certificate'>
  /** Absolute; created with mode 0700. */
  readonly certificatesDirectory: string
}

/** Where the files are, and what is in them. */
export interface ClientMaterial {
  readonly endpoints: string
  readonly authorityFile: string
  readonly certificateFile: string
  readonly keyFile: string
  readonly directories: readonly RenderedDirectory[]
  readonly files: readonly RenderedFile[]
}

/** Endpoints, certificates and key, read and checked. */
export function readClient({ endpoints, client, serverAuthority }: Omit<ClientMaterialOptions, 'certificatesDirectory'>): {
  readonly endpoints: string
  readonly authority: string
  readonly client: Material
} {
  checkReachable('endpoints', endpoints)
  return {
    endpoints: endpoints.join(','),
    authority: readCertificates('the authority of servers', serverAuthority).pem,
    client: readMaterial('the client certificate', client, ['clientAuth']),
  }
}

/** The files of a client on a host: `etcd-ca.crt`, and `<name>.crt` with `<name>.key`. */
export function clientMaterial(options: ClientMaterialOptions, name: string): ClientMaterial {
  const directory = checkPath('the directory of certificates', options.certificatesDirectory)
  const { endpoints, authority, client } = readClient(options)
  const authorityFile = `${directory}/etcd-ca.crt`
  return distinctPaths({
    endpoints,
    authorityFile,
    certificateFile: `${directory}/${name}.crt`,
    keyFile: `${directory}/${name}.key`,
    directories: [{ path: directory, mode: 0o700 }],
    files: [publicFile(authorityFile, authority), ...materialFiles(`${directory}/${name}`, client)],
  })
}
