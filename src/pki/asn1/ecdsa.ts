/** ECDSA signatures: WebCrypto gives r and s one after the other, X.509 wants a SEQUENCE of two INTEGERs (RFC 3279 §2.2.3). */
import { isEtcdRbacError } from '../../errors.js'
import { readDer } from './der.js'
import { fieldsOf, positiveInteger } from './fields.js'
import { sequence, unsignedInteger } from './write.js'

/** The X.509 form of r‖s. */
export function ecdsaToDer(joined: Uint8Array): Uint8Array {
  const half = joined.length / 2
  return sequence(unsignedInteger(joined.subarray(0, half)), unsignedInteger(joined.subarray(half)))
}

/** r‖s of the X.509 form, each `size` bytes, or `undefined` where it is not two positive numbers of that size. */
export function ecdsaFromDer(der: Uint8Array, size: number): Uint8Array<ArrayBuffer> | undefined {
  try {
    const fields = fieldsOf(readDer(der), 'signature')
    const r = positiveInteger(fields.take(0x02, 'r'), 'r')
    const s = positiveInteger(fields.take(0x02, 's'), 's')
    fields.end()
    if (r.length > size || s.length > size) return undefined
    const joined = new Uint8Array(size * 2)
    joined.set(r, size - r.length)
    joined.set(s, size * 2 - s.length)
    return joined
  } catch (error) {
    if (isEtcdRbacError(error, 'ERR_DER_INVALID')) return undefined
    throw error
  }
}
