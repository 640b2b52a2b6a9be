/**
 * The seam through which everything here is signed. A private key may live in a file, in WebCrypto, or in a hardware module or cloud service
 * that only ever signs: whoever has one writes these three members.
 */
import { EtcdRbacError, quoted } from '../errors.js'
import { signatureAlgorithms, type SignatureAlgorithm } from './asn1/algorithms.js'
import { readDer } from './asn1/der.js'
import { ecdsaFromDer } from './asn1/ecdsa.js'
import { readPublicKey, type PublicKey } from './asn1/public-key.js'

/**
 * Signs with one private key.
 *
 * How it must behave: `sign` resolves to the signature of exactly the bytes that it was given, hashed as `algorithm` says, or rejects; it never
 * resolves to anything else. Whatever it rejects with reaches the caller unchanged. It keeps no reference to the bytes and may be called
 * concurrently. It is never called with anything but a certificate, a CSR, a revocation list, the text by which `proveOldKey` binds a CSR to an old
 * key, or the fixed text by which `openCa` and `openPrivateKey` check that the key is the right one.
 */
export interface Signer {
  /** How `sign` signs: this goes into the certificate. */
  readonly algorithm: SignatureAlgorithm
  /** The public key: a SubjectPublicKeyInfo in DER, as WebCrypto's `exportKey('spki')` and `openssl pkey -pubout -outform DER` give it. */
  readonly publicKey: Uint8Array
  /** The signature in the form of X.509: for ECDSA the DER SEQUENCE of r and s (not r‖s), for RSA the PKCS#1 v1.5 octets, for Ed25519 its 64. */
  sign(bytes: Uint8Array): Promise<Uint8Array>
}

/** A signer whose public key has been read. */
export interface CheckedSigner {
  /** What the caller's signer was when it was checked. */
  readonly signer: Signer
  readonly key: PublicKey
}

/** Bytes of a signature of Ed25519 (RFC 8032 §5.1.6). */
const ED25519_SIGNATURE_BYTES = 64

/**
 * Checks what can be checked of a signer without asking it to sign.
 *
 * @throws {@link EtcdRbacError} `ERR_ALGORITHM_UNSUPPORTED`, `ERR_SIGNER_INVALID`, `ERR_DER_INVALID`
 */
export function checkSigner(signer: Signer): CheckedSigner {
  const given = signer as Partial<Signer> | null | undefined
  const { algorithm, publicKey, sign } = given ?? {}
  if (typeof sign !== 'function' || !(publicKey instanceof Uint8Array)) throw new TypeError('a signer must have algorithm, publicKey (Uint8Array) and sign')
  if (typeof algorithm !== 'string' || !Object.hasOwn(signatureAlgorithms, algorithm))
    throw new EtcdRbacError(
      'ERR_ALGORITHM_UNSUPPORTED',
      { found: `a signer of algorithm ${quoted(String(algorithm))}`, wanted: `one of ${Object.keys(signatureAlgorithms).join(', ')}`, fix: 'sign with another' },
      { algorithm: String(algorithm) },
    )
  // Copied: what was checked is what is certified, whatever becomes of the caller's bytes.
  const reading = readPublicKey(readDer(Uint8Array.from(publicKey)))
  if (!reading.ok)
    throw new EtcdRbacError(
      'ERR_ALGORITHM_UNSUPPORTED',
      { found: `a signer with a public key of ${reading.algorithm}`, wanted: reading.wanted, fix: 'make another key' },
      { algorithm: reading.algorithm },
    )
  const { key } = reading
  if (signatureAlgorithms[algorithm].family !== key.family) return refuse(`${algorithm} with a public key of ${key.algorithm}`, 'a signature algorithm of the key')
  return { signer: { algorithm, publicKey: key.der, sign: (bytes) => sign.call(signer, bytes) }, key }
}

/**
 * Signs, and refuses what cannot be a signature of that key. Whether it is one is for {@link checkSigner}'s callers to verify once.
 *
 * @throws {@link EtcdRbacError} `ERR_SIGNER_INVALID`
 */
export async function signWith({ signer, key }: CheckedSigner, bytes: Uint8Array): Promise<Uint8Array> {
  // Copies, there and back: what was signed and checked is what is issued, whatever the signer does with its bytes.
  const given: unknown = await signer.sign(Uint8Array.from(bytes))
  if (!(given instanceof Uint8Array)) throw new TypeError('a signer must resolve to a Uint8Array')
  const signature = Uint8Array.from(given)
  if (key.family === 'ecdsa' && ecdsaFromDer(signature, key.curve.size) === undefined)
    return refuse('a signature that is not the DER form of r and s', 'the form of X.509, not r‖s')
  if (key.family === 'rsa' && signature.length !== key.modulusBytes) return refuse(`a signature of ${signature.length} bytes`, `${key.modulusBytes} bytes, the size of the key`)
  if (key.family === 'ed25519' && signature.length !== ED25519_SIGNATURE_BYTES) return refuse(`a signature of ${signature.length} bytes`, `${ED25519_SIGNATURE_BYTES} bytes`)
  return signature
}

function refuse(reason: string, wanted: string): never {
  throw new EtcdRbacError('ERR_SIGNER_INVALID', { found: `a signer that gives ${reason}`, wanted, fix: 'correct the signer' }, { reason })
}
