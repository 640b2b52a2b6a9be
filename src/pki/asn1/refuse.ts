/** The one way in which DER is refused. */
import { EtcdRbacError } from '../../errors.js'

/** Never quotes content: what is read may be a private key. */
export function refuseDer(offset: number, reason: string): never {
  throw new EtcdRbacError(
    'ERR_DER_INVALID',
    { found: `DER with a fault at byte ${offset}: ${reason}`, wanted: 'one canonical DER value', fix: 'have it made again by a tool that writes DER' },
    { offset, reason },
  )
}
