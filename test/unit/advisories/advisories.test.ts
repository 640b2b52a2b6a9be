import { describe, expect, test } from 'vitest'
import { accessChanges, advisories, advisoriesOf } from '../../../src/policy/index.js'
import { ACCESS_CHANGES, accessOf, isSince, parseVersion, type AccessChange, type Since } from '../../../src/advisories/index.js'
import { thrown } from '../../support/thrown.js'

const idsOf = (version: string): readonly string[] => advisoriesOf(version).map(({ id, cve }) => cve ?? id)
const [watch, crl] = ['GHSA-xg4h-6gfc-h4m8', 'GHSA-3wh4-j44w-pg92']
const [nested, calls, put, lease, gateway, password] = ['CVE-2026-33343', 'CVE-2026-33413', 'CVE-2026-44283', 'CVE-2023-32082', 'CVE-2018-16886', 'CVE-2021-28235']

/** The patch release before one. */
const before = (version: string): string => version.replace(/\d+$/, (patch) => String(Number(patch) - 1))

describe('the holes of a version', () => {
  test.each<[string, readonly string[]]>([
    ['3.3.10', [watch, nested, calls, put, lease, gateway, password]],
    ['3.3.11', [watch, nested, calls, put, lease, password]],
    ['3.3.25', [watch, nested, calls, put, lease, password]],
    ['3.4.23', [watch, nested, calls, put, lease, password]],
    ['3.4.25', [watch, nested, calls, put, lease]],
    ['3.4.26', [watch, nested, calls, put]],
    ['3.4.42', [watch, put]],
    ['3.4.44', [watch]],
    ['3.5.0', [watch, nested, calls, put, lease, crl, password]],
    ['3.5.7', [watch, nested, calls, put, lease, crl, password]],
    ['3.5.8', [watch, nested, calls, put, lease, crl]],
    ['3.5.16', [watch, nested, calls, put, crl]],
    ['3.5.30', [watch, crl]],
    ['3.5.32', [watch]],
    ['3.5.33', []],
    ['3.6.12', [watch, crl]],
    ['3.6.13', [watch]],
    ['3.6.14', []],
    ['3.7.0', [watch]],
    ['3.7.1', []],
  ])('of %s are known', (version, ids) => {
    expect(idsOf(version)).toEqual(ids)
  })

  test.each(['3.5', '2.3.8', '3.8.0', 'v3.5.30', ''])('of %j are not: it is no release that was looked at', (version) => {
    thrown('ERR_VERSION_UNSUPPORTED', () => advisoriesOf(version))
  })

  test('have an id each, of their own, and say what they open', () => {
    expect(new Set(advisories.map(({ id }) => id)).size).toBe(advisories.length)
    for (const { id, cve, impact } of advisories) {
      expect(id).toMatch(/^GHSA(?:-[a-z0-9]{4}){3}$/)
      if (cve !== undefined) expect(cve).toMatch(/^CVE-\d{4}-\d+$/)
      expect(impact).not.toBe('')
    }
  })
})

describe('begins to hold with the release that is known for it, and not with the one before:', () => {
  const closed: readonly (readonly [string, readonly string[]])[] = [
    [watch, ['3.5.33', '3.6.14', '3.7.1']],
    [nested, ['3.4.42', '3.5.28', '3.6.9']],
    [calls, ['3.4.42', '3.5.28', '3.6.9']],
    [put, ['3.4.44', '3.5.30', '3.6.11']],
    [lease, ['3.4.26', '3.5.9']],
    [crl, ['3.5.32', '3.6.13']],
    [gateway, ['3.3.11']],
    [password, ['3.4.25', '3.5.8']],
  ]
  test.each(closed.flatMap(([id, versions]) => versions.map((version) => [id, version] as const)))('that the hole %s is closed, %s', (id, version) => {
    expect([idsOf(before(version)).includes(id), idsOf(version).includes(id)]).toEqual([true, false])
  })

  const changed: readonly (readonly [AccessChange, readonly string[]])[] = [
    ['openWatchChecked', ['3.5.33', '3.6.14', '3.7.1']],
    ['nestedTransactionChecked', ['3.4.42', '3.5.28', '3.6.9']],
    ['transactionPutChecked', ['3.4.44', '3.5.30', '3.6.11']],
    ['callsGuarded', ['3.4.42', '3.5.28', '3.6.9']],
    ['leaseKeysChecked', ['3.4.26', '3.5.9']],
    ['statusGuarded', ['3.4.42', '3.5.28']],
    ['statusOpenToUsers', ['3.5.32', '3.6.12']],
  ]
  test.each(changed.flatMap(([change, versions]) => versions.map((version) => [change, version] as const)))('%s, %s', (change, version) => {
    expect([accessOf(before(version))(change), accessOf(version)(change)]).toEqual([false, true])
  })

  test.each<[string, readonly AccessChange[]]>([
    ['3.3.25', []],
    ['3.4.23', []],
    ['3.4.49', ['nestedTransactionChecked', 'transactionPutChecked', 'callsGuarded', 'leaseKeysChecked', 'statusGuarded']],
    ['3.5.0', []],
    // Never had an open Status, and was cut before what its patches mend.
    ['3.6.0', ['leaseKeysChecked', 'statusGuarded']],
    ['3.7.0', ['nestedTransactionChecked', 'transactionPutChecked', 'callsGuarded', 'leaseKeysChecked', 'statusGuarded', 'statusOpenToUsers', 'authStatusOpen']],
  ])('what etcd %s has from its first day, or never got', (version, has) => {
    expect(ACCESS_CHANGES.filter(accessOf(version))).toEqual(has)
  })

  test('all changes where no release is named', () => {
    expect(ACCESS_CHANGES.filter(accessOf(undefined))).toEqual(Object.keys(accessChanges))
  })
})

test.each<[string, Since, boolean]>([
  ['3.6.0', { '3.5': 9, '3.7': 0 }, false],
  ['3.6.0', { '3.4': 26, '3.5': 9 }, true],
  ['3.4.99', { '3.5': 9 }, false],
  ['3.5.9', { '3.5': 9 }, true],
  ['3.5.8', { '3.5': 9 }, false],
  ['3.3.0', {}, true],
])('that %s is since %j is %j: a minor version between those that are named has it not', (version, since, wanted) => {
  expect(isSince(parseVersion(version), since)).toBe(wanted)
})

test('a change of access that closes a hole is there exactly where the hole is not', () => {
  for (const minor of [3, 4, 5, 6, 7])
    for (let patch = 0; patch < 50; patch++) {
      const version = `3.${minor}.${patch}`
      for (const { since, advisory } of Object.values(accessChanges))
        if (advisory !== undefined) expect(isSince(parseVersion(version), since)).toBe(!advisoriesOf(version).includes(advisory))
    }
})
