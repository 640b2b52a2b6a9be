/** The one way in which a preset says that it does not know. */
import { EtcdRbacError } from '../errors.js'

/** @throws {@link EtcdRbacError} `ERR_PRESET_UNKNOWN` */
export function refusePreset(wanted: string, known: readonly string[], fix: string): never {
  throw new EtcdRbacError('ERR_PRESET_UNKNOWN', { found: wanted, wanted: `one of ${known.join(', ')}`, fix }, { wanted, known })
}
