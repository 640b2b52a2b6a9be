/** The versions of members: which are known, and which is the lowest. Auth depends on the minor alone. */
import { EtcdRbacError } from '../errors.js'
import { KNOWN_MINORS, parseVersion, type EtcdVersion } from '../advisories/version.js'
import { visible } from './visible.js'

/** A version as servers and people write it: `3.5.30`, `v3.6.0-rc.1`, `3.5`. */
function memberVersion(text: string): EtcdVersion {
  if (typeof text !== 'string') throw new TypeError('the version of a member must be a string')
  const [, release = '', patch = '0'] = /^v?(\d+\.\d+)(?:\.(\d+))?(?:[-+].*)?$/s.exec(text) ?? []
  try {
    return parseVersion(`${release}.${patch}`)
  } catch {
    const [oldest, newest] = [KNOWN_MINORS[0], KNOWN_MINORS.at(-1)]
    const [version, wanted] = [visible(text, 40), `3.${oldest} to 3.${newest}`]
    throw new EtcdRbacError('ERR_VERSION_UNSUPPORTED', { found: `etcd ${version}`, wanted: `etcd ${wanted} on every member`, fix: 'upgrade etcd first where it is older, this library where it is newer' }, { version, wanted })
  }
}

/** Whether a version is known and not older than 3.`minor`. */
export function isAtLeast(version: string | undefined, minor: number): boolean {
  return version !== undefined && memberVersion(version).minor >= minor
}

/**
 * The lowest of several versions, as it was given.
 *
 * @throws {@link EtcdRbacError} `ERR_VERSION_UNSUPPORTED` if any of them is older or newer than what is known
 */
export function lowestVersion(versions: readonly string[]): string | undefined {
  const parsed = versions.map((text) => ({ text, ...memberVersion(text) }))
  return parsed.sort((a, b) => a.minor - b.minor || a.patch - b.patch)[0]?.text
}
