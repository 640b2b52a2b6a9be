import { describe, expect, test } from 'vitest'
import { allKeys, fromKey, key, path, pattern, prefix, range, read, readwrite, showKeys, showPermission, write } from '../../../src/keys/index.js'
import { allows, mergeTypes } from '../../../src/keys/permission.js'
import { hostile } from '../../support/thrown.js'

describe('a permission', () => {
  test.each([
    ['read', read, true, false],
    ['write', write, false, true],
    ['readwrite', readwrite, true, true],
  ] as const)('to %s is data, and says which access it gives', (type, make, reads, writes) => {
    const permission = make(key('k'))
    expect(permission).toEqual({ type, keys: { api: 'v3', kind: 'key', key: 'k' } })
    expect([allows(permission.type, 'read'), allows(permission.type, 'write')]).toEqual([reads, writes])
    expect(mergeTypes(type, type)).toBe(type)
  })

  test('on the same keys adds up: etcd would replace the type instead', () => {
    expect(mergeTypes('read', 'write')).toBe('readwrite')
    expect(mergeTypes('write', 'readwrite')).toBe('readwrite')
  })

  test.each<readonly [string, unknown]>([...hostile, ['a string', '/x/']])('is not made of %s', (_, value) => {
    for (const make of [read, write, readwrite]) expect(() => make(value as ReturnType<typeof key>)).toThrow(TypeError)
  })
})

test.each([
  [key('/x'), '/x'],
  [key(Uint8Array.of(255)), 'base64:/w=='],
  [key('a\nb'), 'a\\nb'],
  [prefix('/calico/'), '/calico/*'],
  [range('/a', '/b'), '[/a, /b)'],
  [fromKey('/a'), '[/a, end of all keys)'],
  [allKeys(), 'all keys'],
  [pattern('/c/*'), '/c/*'],
  [path('/c'), '/c'],
  [path('/c', { recursive: true }), '/c (recursive)'],
])('%j is shown as %s', (keys, shown) => {
  expect(showKeys(keys)).toBe(shown)
})

test('a permission is shown with its type', () => {
  expect(showPermission(readwrite(prefix('/calico/')))).toBe('readwrite /calico/*')
})
