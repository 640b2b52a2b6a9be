import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parsePolicy, policyDocument, policySchema } from '../../../../src/policy/index.js'
import { isEtcdRbacError } from '../../../../src/errors.js'
import { isValid } from '../../../support/json-schema.js'
import { anyPolicy, damagedPolicy } from '../../../support/policies.js'

const key = { api: 'v3', kind: 'key', key: '/a' }
const withKeys = (keys: unknown): unknown => ({ users: { a: 'password' }, v3: { roles: { r: [{ type: 'read', keys }] }, bindings: { a: ['r'] } } })
const withPattern = (pattern: unknown): unknown => ({ users: { a: 'password' }, v2: { guest: [], roles: { r: [{ type: 'read', keys: { api: 'v2', pattern } }] }, bindings: {} } })
const named = (name: string): unknown => ({ users: Object.fromEntries([[name, 'password']]) })
const taken = (document: unknown): boolean => {
  try {
    parsePolicy(document)
    return true
  } catch (error) {
    if (isEtcdRbacError(error)) return false
    throw error
  }
}

describe('valid by the schema, and taken by parsePolicy', () => {
  test.each<[string, unknown]>([
    ['no more than users', { users: {} }],
    ['both halves', { users: { a: 'password' }, v3: { roles: {}, bindings: {} }, v2: { guest: [], roles: {}, bindings: {} } }],
    ['a key', withKeys(key)],
    ['a key of bytes', withKeys({ api: 'v3', kind: 'key', key: { base64: '/w==' } })],
    ['a key with a line break', withKeys({ api: 'v3', kind: 'key', key: 'a\nb' })],
    ['a prefix that ends with a slash', withKeys({ api: 'v3', kind: 'prefix', prefix: '/a/' })],
    ['a prefix of one byte, a slash', withKeys({ api: 'v3', kind: 'prefix', prefix: { base64: 'Lw==' } })],
    ['a prefix of two bytes that ends with a slash', withKeys({ api: 'v3', kind: 'prefix', prefix: { base64: '/y8=' } })],
    ['a prefix of three bytes that ends with a slash', withKeys({ api: 'v3', kind: 'prefix', prefix: { base64: '//8v' } })],
    ['a prefix with siblings', withKeys({ api: 'v3', kind: 'prefix', prefix: '/a', siblings: 'include' })],
    ['a range', withKeys({ api: 'v3', kind: 'range', start: 'a', end: 'b' })],
    ['every key', withKeys({ api: 'v3', kind: 'allKeys' })],
    ['a pattern', withPattern('/a*')],
    ['the pattern of everything', withPattern('*')],
    ['a name of 64 characters', named('\u{1f600}'.repeat(64))],
    ['the name of dots', named('...')],
  ])('%s', (_, document) => {
    expect([taken(document), isValid(policySchema, document)]).toEqual([true, true])
  })
})

describe('refused by the schema and by parsePolicy', () => {
  test.each<[string, unknown]>([
    ['no object', []],
    ['text', '{}'],
    ['null', null],
    ['no users', {}],
    ['an unknown field', { users: {}, user: {} }],
    ['an unknown login', { users: { a: 'token' } }],
    ['an empty name', named('')],
    ['a name with a slash', named('a/b')],
    ['a name that is a path', named('..')],
    ['a name with an outer space', named('a ')],
    ['a name with a control character', named('a\nb')],
    ['a name with an invisible character', named('a\u200bb')],
    ['a name with the replacement character', named('a\ufffdb')],
    ['a name of 65 characters', named('a'.repeat(65))],
    ['a member named root', { users: {}, members: ['root'] }],
    ['a member twice', { users: {}, members: ['a', 'a'] }],
    ['an authority that is no text', { users: {}, authorities: [1] }],
    ['a half without bindings', { users: {}, v3: { roles: {} } }],
    ['a half of v2 without guest', { users: {}, v2: { roles: {}, bindings: {} } }],
    ['a role named root', { users: {}, v3: { roles: { root: [] }, bindings: {} } }],
    ['a role of v2 named guest', { users: {}, v2: { guest: [], roles: { guest: [] }, bindings: {} } }],
    ['a role of v2 that etcd hides', { users: {}, v2: { guest: [], roles: { _r: [] }, bindings: {} } }],
    ['a role twice in a binding', { users: { a: 'password' }, v3: { roles: { r: [] }, bindings: { a: ['r', 'r'] } } }],
    ['a permission without type', { users: {}, v3: { roles: { r: [{ keys: key }] }, bindings: {} } }],
    ['an unknown type', { users: {}, v3: { roles: { r: [{ type: 'all', keys: key }] }, bindings: {} } }],
    ['a permission with more', { users: {}, v3: { roles: { r: [{ type: 'read', keys: key, deny: true }] }, bindings: {} } }],
    ['keys of an unknown kind', withKeys({ api: 'v3', kind: 'keys', key: '/a' })],
    ['keys of v2 on v3', withKeys({ api: 'v2', pattern: '/a' })],
    ['an empty key', withKeys({ api: 'v3', kind: 'key', key: '' })],
    ['an empty key of bytes', withKeys({ api: 'v3', kind: 'key', key: { base64: '' } })],
    ['base64 without padding', withKeys({ api: 'v3', kind: 'key', key: { base64: '/w' } })],
    ['base64 with spare bits', withKeys({ api: 'v3', kind: 'key', key: { base64: '/x==' } })],
    ['base64 with spare bits of two bytes', withKeys({ api: 'v3', kind: 'key', key: { base64: '//9=' } })],
    ['base64 with more beside it', withKeys({ api: 'v3', kind: 'key', key: { base64: '/w==', text: '' } })],
    ['a key with more fields', withKeys({ ...key, end: '/b' })],
    ['a prefix without terminator', withKeys({ api: 'v3', kind: 'prefix', prefix: '/a' })],
    ['a prefix of bytes without terminator', withKeys({ api: 'v3', kind: 'prefix', prefix: { base64: '/w==' } })],
    ['a prefix with unknown siblings', withKeys({ api: 'v3', kind: 'prefix', prefix: '/a', siblings: true })],
    ['a range without end', withKeys({ api: 'v3', kind: 'range', start: 'a' })],
    ['every key with more', withKeys({ api: 'v3', kind: 'allKeys', start: 'a' })],
    ...['', 'a', 'a*', '**', '/a*b', '//', '/a//b', '/a/./b', '/a/..', '/..', '/a/.'].map((pattern): [string, unknown] => [`the pattern ${JSON.stringify(pattern)}`, withPattern(pattern)]),
  ])('%s', (_, document) => {
    expect([taken(document), isValid(policySchema, document)]).toEqual([false, false])
  })
})

describe('left to parsePolicy, which compares parts with each other', () => {
  test.each<[string, unknown]>([
    ['a binding of an undeclared user', { users: {}, v3: { roles: {}, bindings: { a: [] } } }],
    ['a member named like a user', { users: { a: 'password' }, members: ['a'] }],
    ['a range that holds no key', withKeys({ api: 'v3', kind: 'range', start: 'b', end: 'a' })],
    ['half a surrogate pair', named('a\ud800')],
  ])('%s', (_, document) => {
    expect([taken(document), isValid(policySchema, document)]).toEqual([false, true])
  })
})

describe('for any document', () => {
  test('of a policy, it is valid', () => {
    fc.assert(
      fc.property(anyPolicy, (policy) => {
        expect(isValid(policySchema, JSON.parse(JSON.stringify(policyDocument(policy))))).toBe(true)
        expect(isValid(policySchema, JSON.parse(JSON.stringify(policy)))).toBe(true)
      }),
    )
  })

  test('that is damaged, what parsePolicy takes is valid', () => {
    let refused = 0
    const values = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom('root', 'guest', '/a', '/a/', '*', 'password', 'v2', 'prefix', [], {}, { base64: '/w==' }, { base64: 'Lw==' }))
    fc.assert(
      fc.property(damagedPolicy(values), (document) => {
        if (taken(document)) expect(isValid(policySchema, document)).toBe(true)
        else if (!isValid(policySchema, document)) refused++
      }),
      { numRuns: 500 },
    )
    expect(refused).toBeGreaterThan(50)
  })
})

test('a keyword that the validator does not know fails: nothing passes for checked', () => {
  expect(() => isValid({ maxItems: 1 }, [])).toThrow('maxItems')
})
