/** Certification requests (RFC 2986), made where the key is. */
import { takeFields } from '../known-fields.js'
import { checkName } from '../names.js'
import type { WebCryptoLike } from '../platform.js'
import { csrInfo, signedObject } from './asn1/csr.js'
import { writePem, type CsrPem } from './pem.js'
import { checkSigner, signWith, type Signer } from './signer.js'
import { subtleOf } from './subtle.js'

/**
 * Makes a CSR: the public key, the proof that its sender has the private key, and, where given, the Common Name that it hopes for. Whoever issues
 * takes only the key and the proof, and refuses another Common Name than the one that it gives. Leave it out for servers and peers.
 *
 * @throws {@link EtcdRbacError} `ERR_NAME_INVALID`, `ERR_ALGORITHM_UNSUPPORTED`, `ERR_DER_INVALID`, `ERR_SIGNER_INVALID`, `ERR_CRYPTO_UNUSABLE`
 * @example
 * ```ts
 * import { createCsr, generateKeyPair } from 'etcd-rbac'
 * const { signer } = await generateKeyPair(crypto, 'ecdsa-p256')
 * const csr = await createCsr(crypto, { commonName: 'calico-node', signer })
 * ```
 */
export async function createCsr(crypto: WebCryptoLike, request: { readonly commonName?: string; readonly signer: Signer }): Promise<CsrPem> {
  subtleOf(crypto)
  const taken = takeFields(request, ['commonName', 'signer'], 'the options of createCsr')
  const commonName = taken.commonName === undefined ? undefined : checkName('user', taken.commonName)
  const signer = checkSigner(taken.signer)
  const info = csrInfo(commonName, signer.key.der)
  return writePem('csr', signedObject(info, signer.signer.algorithm, await signWith(signer, info)))
}
