/** Versions of etcd and of its clients, as far as rights and flags depend on them. */
import { EtcdRbacError } from '../errors.js'

/** Major, minor and patch number. */
export type Version = readonly [major: number, minor: number, patch: number]

const ETCD_MINORS: readonly number[] = [3, 4, 5, 6, 7]

/** The etcd releases whose rights and flags are known here. */
export const ETCD_KNOWN = '3.3 to 3.7'

/** The numbers of `3.5.30`, `v3.5.30` or `3.6.0-rc.1`; `undefined` for anything else. */
export function parseVersion(text: string): Version | undefined {
  const [, major, minor, patch] = /^v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})(?:[-+][\w.+-]{1,64})?$/.exec(text) ?? []
  return major === undefined || minor === undefined || patch === undefined ? undefined : [Number(major), Number(minor), Number(patch)]
}

/** Whether `version` is `bound` or newer. */
export function isAtLeast(version: Version, bound: Version): boolean {
  for (const [index, number] of version.entries()) {
    const difference = number - (bound[index] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}

/**
 * Whether a release has a change that was made on several release lines at once: from that patch on in each line, and in all later lines.
 *
 * @param from `['3.4.42', '3.5.28', '3.6.9']` as `[[3, 4, 42], [3, 5, 28], [3, 6, 9]]`, oldest line first
 */
export function hasChange(version: Version, from: readonly Version[]): boolean {
  const line = from.find(([major, minor]) => major === version[0] && minor === version[1])
  if (line !== undefined) return isAtLeast(version, line)
  const newest = from.at(-1)
  return newest !== undefined && isAtLeast(version, newest)
}

/**
 * The version of an etcd that is known here.
 *
 * @throws {@link EtcdRbacError} `ERR_VERSION_UNSUPPORTED`, also where the patch number is missing: rights and flags changed within release lines
 */
export function etcdVersion(text: string): Version {
  if (typeof text !== 'string') throw new TypeError('an etcd version must be a string')
  const version = parseVersion(text)
  if (version !== undefined && version[0] === 3 && ETCD_MINORS.includes(version[1])) return version
  throw new EtcdRbacError(
    'ERR_VERSION_UNSUPPORTED',
    {
      found: `etcd version ${JSON.stringify(text.slice(0, 40))}`,
      wanted: `a release of ${ETCD_KNOWN} with its patch number, as "etcd --version" prints it`,
      fix: 'give the lowest version of the members; what other releases allow or understand is not known here',
    },
    { version: text.slice(0, 40), wanted: ETCD_KNOWN },
  )
}
