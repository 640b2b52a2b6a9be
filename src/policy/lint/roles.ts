/** What is wrong inside one role. */
import { compareBytes, toHex, utf8 } from '../../bytes.js'
import { containsInterval, fromWire, patternInterval, prefixEnd, toInterval, toWire } from '../../keys/interval.js'
import type { KeyRange, KeyText } from '../../keys/key-range.js'
import type { PathPattern } from '../../keys/pattern.js'
import type { Permission } from '../../keys/permission.js'
import { showKeys, showPermission } from '../../keys/show.js'
import { isOpenEnded } from '../../keys/open-ended.js'
import { openedBy } from '../rights.js'
import { at, type Finding } from './finding.js'
import { redundantPermissions } from './redundant.js'

const startOf = (keys: KeyRange | PathPattern): string => (keys.api === 'v3' ? toHex(toWire(keys).key) : keys.pattern)
const endOf = (keys: KeyRange | PathPattern): string => (keys.api === 'v3' ? toHex(toWire(keys).rangeEnd) : '')

/** Whether the last character of a prefix is of a name rather than a mark between names. */
const endsInName = (text: string): boolean => /[\p{L}\p{N}]$/u.test(text)

/** What a prefix opens beside what is below it, if it ends inside a name. However it is written: as a prefix, as a range to the next key, as bytes. */
function siblingsOf(keys: KeyRange | PathPattern): string | undefined {
  if (keys.api === 'v2') return keys.pattern.endsWith('*') && endsInName(keys.pattern.slice(0, -1)) ? `such as ${keys.pattern.slice(0, -1)}foo` : undefined
  const wire = toWire(keys)
  const { prefix } = keys.kind === 'prefix' || keys.kind === 'range' ? (fromWire(wire) as { readonly prefix?: KeyText }) : {}
  if (prefix === undefined) return undefined
  if (typeof prefix === 'string') return endsInName(prefix) ? `such as ${prefix}foo` : undefined
  return /^[0-9A-Za-z]$/.test(String.fromCharCode(wire.key.at(-1) ?? 0)) ? 'whatever follows its last byte' : undefined
}

/** Where a range begins, if it ends outside: the directory, ended by a slash. */
function leftDirectory(keys: KeyRange | PathPattern): string | undefined {
  if (keys.api === 'v2' || keys.kind !== 'range' || typeof keys.start !== 'string') return undefined
  const directory = /^.*\/(?=.)/s.exec(keys.start)?.[0]
  if (directory === undefined) return undefined
  const [{ end }, within] = [toInterval(keys), prefixEnd(utf8(directory))]
  return end !== undefined && within !== undefined && compareBytes(end, within) > 0 ? directory : undefined
}

/** Whether whoever may write some keys may read all of them too. */
export type Reads = (permission: Permission) => boolean

function permissionFindings({ type, keys }: Permission, where: string, reads: Reads): readonly Finding[] {
  const found: Finding[] = []
  const siblings = siblingsOf(keys)
  if (siblings !== undefined)
    found.push({
      code: 'prefix-without-terminator',
      severity: 'warning',
      where,
      why: `${showKeys(keys)} opens its siblings too, ${siblings}`,
      fix: `end it with "/", unless its siblings are meant`,
    })
  const directory = leftDirectory(keys)
  if (isOpenEnded(keys))
    found.push({ code: 'open-ended-range', severity: 'warning', where, why: `${showKeys(keys)} opens whatever is added behind it later, every new tenant included`, fix: 'grant a prefix' })
  else if (directory !== undefined)
    found.push({ code: 'range-beyond-directory', severity: 'info', where, why: `${showKeys(keys)} begins in ${directory} and ends outside, and opens whatever is added between`, fix: 'grant a prefix for each directory, unless what lies between is meant' })
  if (type === 'write' && !reads({ type, keys }))
    found.push({
      code: 'write-without-read',
      severity: 'info',
      where,
      why: `${showPermission({ type, keys })} lets nobody compare before writing, nor see the old value: most clients do both`,
      fix: 'grant readwrite, unless the client only ever writes',
    })
  return found
}

/** Permissions of one role that share a start key: etcd v3 compares a grant with the first of them only, and appends duplicates. */
function startFindings(permissions: readonly Permission[], path: string): readonly Finding[] {
  const byStart = new Map<string, { readonly permission: Permission; readonly place: number }[]>()
  for (const [place, permission] of permissions.entries()) {
    const start = startOf(permission.keys)
    const same = byStart.get(start)
    if (same === undefined) byStart.set(start, [{ permission, place }])
    else same.push({ permission, place })
  }
  return [...byStart.values()].flatMap((group) =>
    group.slice(1).flatMap(({ permission, place }): readonly Finding[] => {
      const twin = group.find((other) => other.place < place && endOf(other.permission.keys) === endOf(permission.keys))
      const where = at(path, place)
      if (twin !== undefined)
        return twin.permission.type === permission.type
          ? []
          : [{ code: 'split-read-write', severity: 'warning', where, why: `${showKeys(permission.keys)} stands twice with different types: by hand, etcd would keep the last only`, fix: 'grant readwrite once' }]
      return permission.keys.api === 'v2'
        ? []
        : [
            {
              code: 'same-start-key',
              severity: 'info',
              where,
              why: `${showKeys(permission.keys)} begins at the same key as another range of the role: when its type is changed by hand, etcd keeps the old grant beside the new one`,
              fix: 'change it by a plan, which revokes first, or put it into a role of its own',
            },
          ]
    }),
  )
}

/** Permissions whose every access the others of the role give too. */
function redundantFindings(permissions: readonly Permission[], path: string): readonly Finding[] {
  return [...redundantPermissions(permissions)]
    .sort((a, b) => a - b)
    .flatMap((place): readonly Finding[] => {
      const permission = permissions[place]
      return permission === undefined ? [] : [{ code: 'redundant-permission', severity: 'info', where: at(path, place), why: `others of the role give all that ${showPermission(permission)} gives`, fix: 'leave it out' }]
    })
}

/** Everything in one role. @param reads Whether other roles of every holder let it read too. */
export function roleFindings(permissions: readonly Permission[], path: string, reads: Reads = () => false): readonly Finding[] {
  const own = openedBy(permissions).read
  const readable: Reads = (permission) => containsInterval(own, permission.keys.api === 'v3' ? toInterval(permission.keys) : patternInterval(permission.keys)) || reads(permission)
  return [
    ...permissions.flatMap((permission, place) => permissionFindings(permission, at(path, place), readable)),
    ...startFindings(permissions, path),
    ...redundantFindings(permissions, path),
  ]
}
