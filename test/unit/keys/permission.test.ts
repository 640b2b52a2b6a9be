import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allKeys, fromKey, key, path, pattern, prefix, range, read, readwrite, showKeys, showPermission, write, type KeyRange } from '../../../src/keys/index.js'
import { allows, mergeTypes } from '../../../src/keys/permission.js'
import { keyRange, smallKey } from '../../support/arbitrary.js'
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
  [key('/x/*'), '"/x/*"'],
  [key('all keys'), '"all keys"'],
  [key('[/a, /b)'), '"[/a, /b)"'],
  [key('base64:/w=='), '"base64:/w=="'],
  [key('"/x"'), '\\"/x\\"'],
  [prefix('base64:/w==/'), '"base64:/w==/"*'],
  [range('/a, /b', '/c'), '["/a, /b", /c)'],
  [range('/a', 'end of all keys'), '[/a, "end of all keys")'],
  [pattern('/c/*'), '/c/*'],
  [path('/c/*'), '"/c/*"'],
  [path('/c (recursive)'), '"/c (recursive)"'],
  [path('/c'), '/c'],
  [path('/c', { recursive: true }), '/c (recursive)'],
])('%j is shown as %s', (keys, shown) => {
  expect(showKeys(keys)).toBe(shown)
})

test('no two key ranges are shown alike', () => {
  const text = fc.array(fc.constantFrom('a', ',', ' ', '[', ')', '*', '"', '\\', 'base64:', 'AA==', 'end of all keys', 'all keys', '\n'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''))
  const ranges = fc.oneof(keyRange(text), keyRange(smallKey))
  const bare = (keys: KeyRange): unknown => ({ ...keys, siblings: undefined })
  fc.assert(fc.property(fc.array(ranges, { maxLength: 40 }), (list) => {
    const seen = new Map<string, unknown>()
    for (const keys of list) {
      const shown = showKeys(keys)
      if (seen.has(shown)) expect(bare(keys)).toEqual(seen.get(shown))
      seen.set(shown, bare(keys))
    }
  }), { numRuns: 500 })
})

test('a permission is shown with its type', () => {
  expect(showPermission(readwrite(prefix('/calico/')))).toBe('readwrite /calico/*')
})
