import { describe, expect, test } from 'vitest'
import { isEtcdRbacError } from '../../../src/errors.js'
import { checkName, nameProblem, type NameKind } from '../../../src/names.js'

const kinds: readonly NameKind[] = ['user', 'role', 'member', 'authority']

describe.each(kinds)('the name of a %s', (kind) => {
  test.each(['a', 'calico-node', 'Calico Node', 'kube:admin', 'é', '10', 'constructor', '__proto__', 'toString', 'x'.repeat(64), '😀'.repeat(64), '...', 'a..b', '%2e%2e'])('may be %j', (name) => {
    expect(checkName(kind, name)).toBe(name)
  })

  test.each([
    ['', 'is empty'],
    ['x'.repeat(65), 'longer than 64'],
    ['😀'.repeat(65), 'longer than 64'],
    ['a\nb', 'control'],
    ['a\0', 'control'],
    ['a\u200bb', 'invisible'],
    ['a\u202eb', 'invisible'],
    ['a\u2028b', 'invisible'],
    ['\u00adsoft', 'invisible'],
    [' a', 'space'],
    ['a ', 'space'],
    ['\u00a0a', 'space'],
    ['\ud800', 'surrogate'],
    ['a\ufffd', 'U+FFFD'],
    ['.', 'path'],
    ['..', 'path'],
    ['x/../root', 'slash'],
    ['/root', 'slash'],
    ['root/', 'slash'],
    ['root/.', 'slash'],
  ])('is refused as %j', (name, reason) => {
    const problem = nameProblem(kind, name)
    expect(problem?.found).toContain(reason)
    let thrown: unknown
    try {
      checkName(kind, name)
    } catch (error) {
      thrown = error
    }
    expect(isEtcdRbacError(thrown, 'ERR_NAME_INVALID') && thrown.detail).toEqual({ kind, name })
  })
})

test.each(['member', 'authority'] as const)('no %s is named root: on etcd v2 everyone whom its certificate vouches for would be root', (kind) => {
  expect(nameProblem(kind, 'root')?.found).toContain('named like etcd')
  expect(nameProblem(kind, 'Root')).toBeUndefined()
})

test.each(['user', 'role'] as const)('a %s may be root', (kind) => {
  expect(nameProblem(kind, 'root')).toBeUndefined()
})

test('a name of megabytes is refused with a short message', () => {
  const problem = nameProblem('user', 'x'.repeat(5_000_000))
  expect(problem?.found).toContain('longer than 64')
  expect(problem?.found.length).toBeLessThan(200)
})

test.each([[undefined], [null], [7], [['root']], [{ toString: () => 'root' }], [Symbol('root')], [() => 'root']])('what is not a string is no name, however it prints: %s', (value) => {
  expect(() => checkName('user', value as unknown as string)).toThrow(TypeError)
})
