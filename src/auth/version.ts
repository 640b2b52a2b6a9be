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

/** The lowest version that is known, and whose it is. */
export interface Release {
  /** The lowest version among the members, as far as it is known. */
  readonly version: string | undefined
  /**
   * `some`: of the members that answered. While etcd is upgraded member by member, versions differ by one minor release, so that a member which was not asked
   * may be one older. Left away where it is that of all members.
   */
  readonly versionOf?: 'some'
}

/** Whether every member is known not to be older than 3.`minor`: the one question of all that depends on versions. */
export function isAtLeast({ version, versionOf }: Release, minor: number): boolean {
  return version !== undefined && memberVersion(version).minor >= (versionOf === 'some' ? minor + 1 : minor)
}

/** Who is, or may be, older than 3.`minor`, where not every member is known not to be: the subject of a sentence. */
export function olderThan({ version, versionOf }: Release, minor: number): string {
  if (version === undefined) return `etcd of unknown version, unless it is 3.${minor} or newer,`
  if (versionOf === undefined || !isAtLeast({ version }, minor)) return `etcd ${visible(version)}`
  return `a member beside that which answered, etcd ${visible(version)}, unless it is 3.${minor} or newer too (the { versions } of all members, passed to v3Backend, would tell),`
}

/**
 * Refuses versions that a server itself contradicts, by answering as an older one: nothing that they say of the others is worth more then.
 *
 * @param found Of whom answered: the version, or only the minor release that it is older than.
 * @throws {@link EtcdRbacError} `ERR_VERSION_CONTRADICTED`
 */
export function refuseContradicted(stated: readonly string[], found: string | { readonly olderThan: number }): void {
  const lowest = lowestVersion(stated)
  if (lowest === undefined || memberVersion(lowest).minor < (typeof found === 'string' ? memberVersion(found).minor + 1 : found.olderThan)) return
  const said = typeof found === 'string' ? `etcd ${visible(found, 40)}` : `an etcd older than 3.${found.olderThan}`
  throw new EtcdRbacError('ERR_VERSION_CONTRADICTED', { found: `${said} at a member, and versions that say ${stated.map((text) => visible(text, 40)).join(', ')}`, wanted: 'the versions of all members', fix: 'ask all of them (observe) and pass what they say as versions, or leave versions away' }, { stated, found: said })
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
