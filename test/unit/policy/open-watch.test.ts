import { expect, test } from 'vitest'
import { allKeys, can, definePolicy, fromKey, key, prefix, read, watch, type KeyRange } from '../../../src/policy/index.js'

// Tried on 3.5.30, which opens the watch, and 3.5.35, which refuses it.
test.each<[string, Uint8Array, KeyRange]>([
  ['from a key on', Uint8Array.of(0x61), fromKey('a')],
  ['of a prefix of 0xff alone, which has no end either', Uint8Array.of(0xff), prefix(Uint8Array.of(0xff), { siblings: 'include' })],
  ['of every key', Uint8Array.of(0), allKeys()],
])('a reader of its first key alone may watch everything %s, until etcd checks it', (_, first, keys) => {
  const policy = definePolicy({ users: { bob: 'certificate' }, v3: { roles: { r: [read(key(first))] }, bindings: { bob: ['r'] } } })
  expect(can(policy, 'bob', watch(keys), { etcd: '3.5.30' })).toBe(true)
  expect(can(policy, 'bob', watch(keys), { etcd: '3.5.35' })).toBe(false)
  expect(can(policy, 'bob', watch(keys))).toBe(false)
})
