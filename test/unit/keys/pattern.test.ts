import { describe, expect, test } from 'vitest'
import { coversPattern, path, pattern } from '../../../src/keys/pattern.js'
import { matches } from '../../support/matches.js'
import { hostile, thrown } from '../../support/thrown.js'

describe('a v2 pattern', () => {
  test.each([['/c'], ['/c/'], ['/c*'], ['/c/*'], ['/*'], ['*'], ['/'], ['/é*'], ['/a b*'], ['/a%2Fb'], ['/c/.hidden'], ['/c/.*'], ['/c/...'], ['/?'], ['/[a]']])('may be %j', (text) => {
    expect(pattern(text)).toEqual({ api: 'v2', pattern: text })
  })

  test.each([
    ['', 'empty: etcd resets every connection that meets it', 'resets'],
    ['c/*', 'without leading slash: never matches', 'leading slash'],
    ['c', 'without leading slash: never matches', 'leading slash'],
    ['/c/*/x', 'with a star inside: taken literally', 'last character'],
    ['/c/**', 'with two stars: taken literally', 'last character'],
    ['**', 'with two stars: taken literally', 'last character'],
    ['*/x', 'with a star first', 'last character'],
    ['/a//b', 'with an empty segment: redirected, never matched', 'clean'],
    ['//', 'with an empty segment: redirected, never matched', 'clean'],
    ['/a/../b', 'with a segment that etcd cleans away', 'clean'],
    ['/a/./b*', 'with a segment that etcd cleans away', 'clean'],
    ['/..', 'that is a parent', 'clean'],
    ['/a/.', 'that ends in a segment that etcd cleans away', 'clean'],
    ['/\ud800', 'with half of a surrogate pair', 'Unicode'],
  ])('is refused as %j, %s', (text, _, said) => {
    const error = thrown('ERR_PATTERN_INVALID', () => pattern(text))
    expect(error.detail).toEqual({ pattern: text })
    expect(error.message).toContain(said)
  })

  test.each(hostile)('is not made of %s', (_, value) => {
    expect(() => pattern(value as string)).toThrow(TypeError)
    expect(() => path(value as string)).toThrow(TypeError)
  })
})

describe('the path of a v2 request', () => {
  test.each([[''], ['/'], ['/c'], ['/c/'], ['/c/*/x'], ['/_hidden']])('may be %j', (text) => {
    expect(path(text)).toEqual({ api: 'v2', path: text, recursive: false })
    expect(path(text, { recursive: true })).toEqual({ api: 'v2', path: text, recursive: true })
  })

  test.each([['c'], ['/a//b'], ['/a/../b'], ['/..'], ['/a/./'], ['//']])('is refused as %j: etcd answers with a redirect and never looks', (text) => {
    thrown('ERR_PATTERN_INVALID', () => path(text))
  })

  test.each([['yes'], [1], [null], [{}]])('is not recursive by %j', (recursive) => {
    expect(() => path('/c', { recursive } as unknown as { recursive: boolean })).toThrow(TypeError)
  })
})

// facts/etcd-v2 §2: identical on 3.3, 3.4 and 3.5. The last column is a pattern that this library refuses to make.
const patterns = ['/c/*', '/c*', '/c', '/c/', '*', '/*', '/', '/c/a', 'c/*'] as const
const rows: readonly (readonly [request: string, path: string, recursive: boolean, answers: string])[] = [
  ['GET /c', '/c', false, '-xx-xx---'],
  ['GET /c/', '/c/', false, 'xx-xxx---'],
  ['GET /c?recursive=true', '/c', true, '-x--xx---'],
  ['GET /c/?recursive=true', '/c/', true, 'xx--xx---'],
  ['DELETE /c?recursive=true', '/c', true, '-x--xx---'],
  ['DELETE /c/?recursive=true', '/c/', true, 'xx--xx---'],
  ['GET /c/a', '/c/a', false, 'xx--xx-x-'],
  ['GET /c/_hid', '/c/_hid', false, 'xx--xx---'],
  ['GET /c/a?recursive=true', '/c/a', true, 'xx--xx---'],
  ['GET /cfoo', '/cfoo', false, '-x--xx---'],
  ['GET /v2/keys', '', false, '----x----'],
  ['GET /v2/keys/', '/', false, '----xxx--'],
  ['POST /c', '/c', false, '-xx-xx---'],
  ['PUT /c?dir=true', '/c', false, '-xx-xx---'],
]

describe('a pattern matches as etcd does', () => {
  describe.each(rows)('%s', (_, requested, recursive, answers) => {
    test.each([...patterns.entries()])('column %i, %s', (column, text) => {
      expect(matches({ api: 'v2', pattern: text }, path(requested, { recursive }))).toBe(answers[column] === 'x')
    })
  })

  test.each([
    ['/c/*/x', '/c/*/x', true],
    ['/c/*/x', '/c/a/x', false],
    ['/c/**', '/c/*', true],
    ['/c/**', '/c/a', false],
    ['/a%2Fb*', '/a/b', false],
    ['/?', '/a', false],
    ['/é*', '/élan', true],
    ['/a b*', '/a b/c', true],
  ])('only a final star is special: %j on %j is %s', (text, requested, answer) => {
    expect(matches({ api: 'v2', pattern: text }, path(requested))).toBe(answer)
  })
})

test.each([
  ['/c*', '/c/*', true],
  ['/c/*', '/c*', false],
  ['/c*', '/c', true],
  ['/c', '/c*', false],
  ['/c', '/c', true],
  ['*', '/*', true],
  ['/*', '*', false],
  ['*', '*', true],
  ['/c/*', '/c', false],
  ['/c/*', '/c/', true],
])('%j covers %j: %s', (outer, inner, answer) => {
  expect(coversPattern(pattern(outer), pattern(inner))).toBe(answer)
})
