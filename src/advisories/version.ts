/**
 * etcd versions, and since which of them something holds.
 *
 * etcd fixes a hole on several release branches at once (3.4.42, 3.5.28 and 3.6.9), so "since" is a patch number by minor version.
 */
import { EtcdRbacError } from '../errors.js'

/** A released version of etcd. */
export interface EtcdVersion {
  readonly major: number
  readonly minor: number
  readonly patch: number
}

/**
 * The first patch release that has something, by minor version (`{ '3.4': 42, '3.5': 28 }`). A minor version that is not named has it from
 * its first release if it is newer than all named ones, and never otherwise.
 */
export type Since = Readonly<Record<string, number>>

/** The versions that have been measured or whose source has been read: what the data of this folder may be asked about. */
export const KNOWN_MINORS: readonly number[] = [3, 4, 5, 6, 7]

/**
 * The parts of a version such as `3.5.30`.
 *
 * @throws {@link EtcdRbacError} `ERR_VERSION_UNSUPPORTED` for anything but a released 3.3 to 3.7
 */
export function parseVersion(version: string): EtcdVersion {
  if (typeof version !== 'string') throw new TypeError('an etcd version must be a string')
  const [, minor = '', patch = ''] = /^3\.(\d{1,3})\.(\d{1,4})$/.exec(version) ?? []
  if (minor === '' || !KNOWN_MINORS.includes(Number(minor))) {
    const wanted = '3.3.0 to 3.7.x'
    throw new EtcdRbacError(
      'ERR_VERSION_UNSUPPORTED',
      { found: `etcd version ${JSON.stringify(version.slice(0, 40))}`, wanted: `a release from ${wanted}, with its patch number`, fix: 'name the exact version' },
      { version, wanted },
    )
  }
  return { major: 3, minor: Number(minor), patch: Number(patch) }
}

/** Whether a version has what came with `since`. */
export function isSince({ major, minor, patch }: EtcdVersion, since: Since): boolean {
  const first = since[`${major}.${minor}`]
  if (first !== undefined) return patch >= first
  return Object.keys(since).every((name) => Number(name.split('.')[1]) < minor)
}
