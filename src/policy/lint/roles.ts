/** What is wrong inside one role. */
import { toHex } from '../../bytes.js'
import { patternInterval, toInterval, toWire } from '../../keys/interval.js'
import type { KeyRange } from '../../keys/key-range.js'
import type { PathPattern } from '../../keys/pattern.js'
import { allows, type Permission } from '../../keys/permission.js'
import { showKeys, showPermission } from '../../keys/show.js'
import { at, type Finding } from './finding.js'
import { redundantAmong } from './redundant.js'

const startOf = (keys: KeyRange | PathPattern): string => (keys.api === 'v3' ? toHex(toWire(keys).key) : keys.pattern)
const endOf = (keys: KeyRange | PathPattern): string => (keys.api === 'v3' ? toHex(toWire(keys).rangeEnd) : '')

/** Whether the last character of a prefix is of a name rather than a mark between names. */
const endsInName = (text: string): boolean => /[\p{L}\p{N}]$/u.test(text)

function permissionFindings({ type, keys }: Permission, where: string): readonly Finding[] {
  const found: Finding[] = []
  const stem = keys.api === 'v2' ? (keys.pattern.endsWith('*') ? keys.pattern.slice(0, -1) : '') : keys.kind === 'prefix' && typeof keys.prefix === 'string' ? keys.prefix : ''
  if (stem !== '' && endsInName(stem))
    found.push({
      code: 'prefix-without-terminator',
      severity: 'warning',
      where,
      why: `${showKeys(keys)} opens its siblings too, such as ${stem}foo`,
      fix: `end it with "/", unless its siblings are meant`,
    })
  if ((keys.api === 'v3' && (keys.kind === 'fromKey' || keys.kind === 'allKeys')) || (keys.api === 'v2' && (keys.pattern === '*' || keys.pattern === '/*')))
    found.push({ code: 'open-ended-range', severity: 'warning', where, why: `${showKeys(keys)} opens whatever is added behind it later, every new tenant included`, fix: 'grant a prefix' })
  if (type === 'write')
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
  const lost = (['read', 'write'] as const).map((access) => {
    const places = [...permissions.keys()].filter((place) => allows(permissions[place]?.type ?? 'read', access))
    const intervals = places.flatMap((place) => {
      const keys = permissions[place]?.keys
      return keys === undefined ? [] : [keys.api === 'v3' ? toInterval(keys) : patternInterval(keys)]
    })
    const redundant = redundantAmong(intervals)
    return new Set(places.filter((_, index) => !redundant.has(index)))
  })
  return [...permissions.entries()].flatMap(([place, permission]): readonly Finding[] =>
    lost.some((needed) => needed.has(place))
      ? []
      : [{ code: 'redundant-permission', severity: 'info', where: at(path, place), why: `others of the role give all that ${showPermission(permission)} gives`, fix: 'leave it out' }],
  )
}

/** Everything in one role. */
export function roleFindings(permissions: readonly Permission[], path: string): readonly Finding[] {
  return [
    ...permissions.flatMap((permission, place) => permissionFindings(permission, at(path, place))),
    ...startFindings(permissions, path),
    ...redundantFindings(permissions, path),
  ]
}
