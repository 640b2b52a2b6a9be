import { describe, expect, test } from 'vitest'
import { allKeys, anonymous, can, definePolicy, fromKey, get, pattern, prefix, range, read, readwrite, write, type Policy } from '../../../src/policy/index.js'
import { upgradeCheck, type UpgradeEffect } from '../../../src/review/index.js'
import { thrown } from '../../support/thrown.js'

const policy = definePolicy({
  users: { root: 'certificate', node: 'certificate', reader: 'certificate', inbox: 'password', everything: 'password', open: 'password', idle: 'certificate' },
  v3: {
    roles: { node: [readwrite(prefix('/node/'))], read: [read(range('/a', '/c'))], inbox: [write(prefix('/inbox/'))], all: [readwrite(allKeys())], open: [read(fromKey('/x'))] },
    bindings: { root: ['root'], node: ['node'], reader: ['read'], inbox: ['inbox'], everything: ['all'], open: ['open'] },
  },
  v2: { guest: [read(pattern('/public'))], roles: { node: [readwrite(pattern('/node/*'))] }, bindings: { root: ['root'], node: ['node'] } },
})
const v3 = definePolicy({ users: policy.users, v3: { roles: {}, bindings: { root: ['root'] } } })

const namesIn = ({ who }: UpgradeEffect): readonly string[] => who.map(({ user, circumstances }) => (user === anonymous ? (circumstances.via === undefined ? '(anonymous)' : '(nameless)') : user))
const found = (from: string, to: string, kind: UpgradeEffect['kind'], of: Policy = policy): Record<string, readonly string[]> =>
  Object.fromEntries(upgradeCheck(of, from, to).effects.filter((effect) => effect.kind === kind).map((effect) => [`${effect.change} ${effect.effect}`, namesIn(effect)]))

const notRoot = ['node', 'reader', 'inbox', 'everything', 'open', 'idle', '(anonymous)', '(nameless)']

describe('an upgrade', () => {
  test.each<[string, string, UpgradeEffect['kind'], Record<string, readonly string[]>]>([
    ['3.5.16', '3.5.30', 'Compact', { 'callsGuarded loses': notRoot }],
    ['3.4.41', '3.4.42', 'Compact', { 'callsGuarded loses': notRoot }],
    ['3.5.16', '3.5.30', 'Status', { 'statusGuarded loses': notRoot }],
    ['3.5.30', '3.5.35', 'Status', { 'statusOpenToUsers gains': notRoot.slice(0, -1) }],
    ['3.5.16', '3.5.35', 'Status', { 'statusGuarded loses': ['(nameless)'] }],
    ['3.5.16', '3.5.35', 'MemberList', { 'callsGuarded loses': ['(nameless)'] }],
    ['3.5.16', '3.5.35', 'lease calls', { 'callsGuarded loses': ['(nameless)'] }],
    ['3.6.16', '3.7.3', 'AuthStatus', { 'authStatusOpen gains': notRoot }],
    ['3.5.30', '3.5.33', 'open-ended watch', { 'openWatchChecked loses': ['node', 'reader'] }],
    ['3.5.16', '3.5.28', 'transaction inside a transaction', { 'nestedTransactionChecked loses': ['node', 'reader', 'inbox', 'open', 'idle', '(anonymous)', '(nameless)'] }],
    ['3.5.28', '3.5.30', 'previous value from a put in a transaction', { 'transactionPutChecked loses': ['inbox'] }],
    ['3.5.28', '3.5.30', 'lease of others in a transaction', { 'transactionPutChecked loses': ['node', 'inbox'] }],
    ['3.4.25', '3.4.26', 'keys of a lease', { 'leaseKeysChecked loses': ['node', 'reader', 'inbox', 'open', 'idle', '(anonymous)', '(nameless)'] }],
    // Each of two changes takes it alone from who sends no name, one of them from the others.
    ['3.4.25', '3.5.35', 'keys of a lease', { 'leaseKeysChecked loses': ['node', 'reader', 'inbox', 'open', 'idle', '(anonymous)', '(nameless)'], 'callsGuarded loses': ['(nameless)'] }],
    ['3.5.27', '3.5.28', 'keep a lease alive', { 'callsGuarded loses': ['node', 'reader', 'inbox', 'open', 'idle', '(anonymous)', '(nameless)'] }],
    ['3.5.27', '3.5.28', 'list of leases', { 'callsGuarded loses': ['node', 'reader', 'inbox', 'open', 'idle', '(anonymous)', '(nameless)'] }],
    ['3.5.35', '3.6.16', 'v2 API', { 'v2Gone loses': ['root', 'node', '(anonymous)'] }],
    ['3.3.25', '3.4.23', 'v2 API', { 'v2OffByDefault loses': ['root', 'node', '(anonymous)'] }],
    ['3.3.25', '3.7.3', 'v2 API', { 'v2Gone loses': ['root', 'node', '(anonymous)'] }],
    ['3.3.25', '3.4.23', 'password of a certificate user', { 'usersWithoutPassword check': ['root', 'node', 'reader', 'idle'] }],
    ['3.5.30', '3.5.30', 'Compact', {}],
    // Back again.
    ['3.5.30', '3.5.16', 'Compact', { 'callsGuarded gains': notRoot }],
    ['3.6.16', '3.5.35', 'v2 API', { 'v2Gone gains': ['root', 'node', '(anonymous)'] }],
    ['3.4.23', '3.3.25', 'v2 API', { 'v2OffByDefault gains': ['root', 'node', '(anonymous)'] }],
  ])('from %s to %s concerns %s: %j', (from, to, kind, wanted) => {
    expect(found(from, to, kind)).toEqual(wanted)
  })

  test.each([['reads', read(allKeys())], ['writes', write(allKeys())]])('takes transactions inside a transaction from who only %s every key', (_, permission) => {
    const half = definePolicy({ users: { a: 'password' }, v3: { roles: { r: [permission] }, bindings: { a: ['r'] } } })
    expect(found('3.5.16', '3.5.28', 'transaction inside a transaction', half)).toEqual({ 'nestedTransactionChecked loses': ['a', '(anonymous)', '(nameless)'] })
  })

  test('takes from everybody the v2 API that 3.3 serves and no half of the policy guards', () => {
    expect(found('3.3.25', '3.4.23', 'v2 API', v3)).toEqual({ 'v2OffByDefault loses': ['(anonymous)'] })
    expect(found('3.3.25', '3.6.16', 'v2 API', v3)).toEqual({ 'v2Gone loses': ['(anonymous)'] })
    expect(found('3.4.23', '3.6.16', 'v2 API', v3)).toEqual({})
  })

  test('shows each effect by an operation that the two releases answer differently', () => {
    const { effects } = upgradeCheck(policy, '3.3.25', '3.7.3')
    let shown = 0
    for (const { effect, who } of effects)
      for (const { user, operation, circumstances } of who) {
        if (operation === undefined) continue
        shown++
        expect(can<Policy>(policy, user, operation, { ...circumstances, etcd: '3.3.25' })).toBe(effect === 'loses')
        expect(can<Policy>(policy, user, operation, { ...circumstances, etcd: '3.7.3' })).toBe(effect === 'gains')
      }
    expect(shown).toBeGreaterThan(50)
  })

  test('says in words who loses what, which hole that was, and which are left', () => {
    const { text, closes, leaves } = upgradeCheck(policy, '3.5.16', '3.5.30')
    expect(text).toContain('Compact: no more for "node", "reader"')
    expect(text).toContain('clients whom no user names, clients without any name')
    expect(text).toContain('GHSA-q8m4-xhhv-38mg')
    expect(closes.map(({ id }) => id)).toEqual(['GHSA-rfx7-8w68-q57q', 'GHSA-q8m4-xhhv-38mg', 'GHSA-x35m-3gp4-4fh5'])
    expect(leaves.map(({ id }) => id)).toEqual(['GHSA-xg4h-6gfc-h4m8', 'GHSA-3wh4-j44w-pg92'])
    const lines = (verb: string): readonly string[] => text.split('\n').filter((line) => line.startsWith(`  ${verb} `))
    expect(lines('closes')).toEqual(closes.map(({ id, impact }) => `  closes ${id}: ${impact}`))
    expect(lines('leaves')).toEqual(leaves.map(({ id, impact }) => `  leaves ${id}: ${impact}`))
    expect(text).toMatch(/^etcd 3\.5\.16 to 3\.5\.30: \d+ changes\n/)
    expect(upgradeCheck(policy, '3.5.30', '3.5.30').text).toContain('nobody loses or gains a right')
  })

  test('is judged for the half that the policy has', () => {
    const v2 = definePolicy({ users: { a: 'password' }, v2: { guest: [], roles: {}, bindings: {} } })
    expect(upgradeCheck(v2, '3.3.25', '3.7.3').effects).toEqual([])
    expect(can(policy, 'reader', get('/a'))).toBe(true)
  })

  test.each([['3.5', '3.6.16'], ['3.5.30', '4.0.0']])('from %s to %s is refused: not every part of it is known', (from, to) => {
    thrown('ERR_VERSION_UNSUPPORTED', () => upgradeCheck(policy, from, to))
  })
})
