import { expect, test } from 'vitest'
import { can, definePolicy, explain, get, path } from '../../../src/policy/index.js'

test.each([
  ['/a', false, '/a'],
  ['/a', true, '/a*'],
  ['/a/', true, '/a/*'],
  ['', false, '*'],
  ['/a*', false, '/a*'],
  ['/a*', true, '/a*'],
  ['/a*b', false, '/a*'],
  ['/a/*/b', true, '/a/*'],
])('the refusal of %j (recursive: %s) is explained by the narrowest pattern, %j, which then opens it', (text, recursive, wanted) => {
  const policy = definePolicy({ users: { a: 'password' }, v2: { guest: [], roles: {}, bindings: {} } })
  const operation = get(path(text, { recursive }))
  const { grants } = explain(policy, 'a', operation)
  expect(grants).toEqual([{ type: 'read', keys: { api: 'v2', pattern: wanted } }])
  const opened = definePolicy({ users: { a: 'password' }, v2: { guest: [], roles: { r: grants as never }, bindings: { a: ['r'] } } })
  expect(can(opened, 'a', operation)).toBe(true)
})
