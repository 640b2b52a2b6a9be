import fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { definePolicy, parsePolicy, pattern, policyDocument, prefix, read, readwrite, type Policy } from '../../../../src/policy/index.js'
import { anyPolicy } from '../../../support/policies.js'

/** The same policy, every table written in the opposite order. */
function reversed(policy: Policy): Policy {
  const turn = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(turn)
    if (typeof value !== 'object' || value === null) return value
    const result: Record<string, unknown> = {}
    for (const [name, inner] of Object.entries(value).reverse()) Object.defineProperty(result, name, { value: turn(inner), enumerable: true })
    return result
  }
  return parsePolicy(turn(policy))
}

describe('for any policy', () => {
  test('the document is the policy again, with and without JSON', () => {
    fc.assert(
      fc.property(anyPolicy, (policy) => {
        const document = policyDocument(policy)
        expect(isDeepStrictEqual(parsePolicy(document), policy)).toBe(true)
        expect(isDeepStrictEqual(parsePolicy(JSON.parse(JSON.stringify(document))), policy)).toBe(true)
      }),
    )
  })

  test('its text does not depend on how the policy was written', () => {
    let turned = 0
    fc.assert(
      fc.property(anyPolicy, (policy) => {
        const other = reversed(policy)
        if (JSON.stringify(other) !== JSON.stringify(policy)) turned++
        expect(JSON.stringify(policyDocument(other))).toBe(JSON.stringify(policyDocument(policy)))
        expect(JSON.stringify(policyDocument(parsePolicy(policyDocument(policy))))).toBe(JSON.stringify(policyDocument(policy)))
      }),
    )
    expect(turned).toBeGreaterThan(20)
  })
})

test('a document reads like this', () => {
  const policy = definePolicy({
    users: { node: 'certificate', auditor: 'password' },
    members: ['etcd-1', 'etcd-0'],
    v3: { roles: { node: [readwrite(prefix('/n/')), read(prefix('/m', { siblings: 'include' }))] }, bindings: { node: ['node'] } },
    v2: { guest: [read(pattern('/p'))], roles: {}, bindings: {} },
  })
  expect(JSON.stringify(policyDocument(policy), undefined, 1).replaceAll(/\n */g, ' ')).toBe(
    '{ "users": { "auditor": "password", "node": "certificate" }, "members": [ "etcd-1", "etcd-0" ], ' +
      '"v3": { "roles": { "node": [ { "type": "readwrite", "keys": { "api": "v3", "kind": "prefix", "prefix": "/n/" } }, { "type": "read", "keys": { "api": "v3", "kind": "prefix", "prefix": "/m", "siblings": "include" } } ] }, "bindings": { "node": [ "node" ] } }, ' +
      '"v2": { "guest": [ { "type": "read", "keys": { "api": "v2", "pattern": "/p" } } ], "roles": {}, "bindings": {} } }',
  )
})
