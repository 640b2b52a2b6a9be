import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { accessReview, allKeys, definePolicy, fromKey, key, pattern, prefix, range, read, readwrite, toCsv, toMarkdown, write, type ReviewRow } from '../../../../src/policy/index.js'
import { anyPolicy } from '../../../support/policies.js'

const policy = definePolicy({
  users: { root: 'certificate', node: 'certificate', idle: 'password', tail: 'password' },
  v3: {
    roles: { node: [readwrite(prefix('/n/')), read(key('/x'))], empty: [], tail: [read(fromKey('/z')), write(allKeys())] },
    bindings: { root: ['root'], node: ['node', 'empty'], tail: ['tail'] },
  },
  v2: { guest: [read(pattern('/public'))], roles: { all: [read(pattern('/*'))] }, bindings: { node: ['all'] } },
})

test('a review has a row for each right, and for whoever has none', () => {
  expect(accessReview(policy).map(({ user, login, api, role, access, keys, openEnded }) => [user, login, api, role, access, keys, openEnded])).toEqual([
    ['idle', 'password', 'v3', undefined, 'nothing', '', false],
    ['node', 'certificate', 'v3', 'node', 'readwrite', '/n/*', false],
    ['node', 'certificate', 'v3', 'node', 'read', '/x', false],
    ['node', 'certificate', 'v3', 'empty', 'nothing', '', false],
    ['root', 'certificate', 'v3', 'root', 'everything', '', true],
    ['tail', 'password', 'v3', 'tail', 'read', '[/z, end of all keys)', true],
    ['tail', 'password', 'v3', 'tail', 'write', 'all keys', true],
    [undefined, undefined, 'v2', 'guest', 'read', '/public', false],
    ['idle', 'password', 'v2', undefined, 'nothing', '', false],
    ['node', 'certificate', 'v2', 'all', 'read', '/*', true],
    ['root', 'certificate', 'v2', 'root', 'everything', '', true],
    ['tail', 'password', 'v2', undefined, 'nothing', '', false],
  ])
})

const rowOf = (keys: string, user = 'u'): ReviewRow => ({ user, login: 'password', api: 'v3', role: 'r', access: 'read', keys, openEnded: false })

test('whatever reaches behind all text is open-ended', () => {
  const open = definePolicy({ users: { a: 'password' }, v3: { roles: { r: [read(range('/a', Uint8Array.of(0xff))), read(range('/a', '~'))] }, bindings: { a: ['r'] } } })
  expect(accessReview(open).map(({ openEnded }) => openEnded)).toEqual([true, false])
})

test('nobody is named like the guest, and no key is shown as others', () => {
  const policy = definePolicy({
    users: { '(anonymous)': 'password', '"(anonymous)"': 'password', '"a': 'password' },
    v3: { roles: { r: [read(key('/x/*')), read(prefix('/x/'))] }, bindings: { '(anonymous)': ['r'] } },
    v2: { guest: [read(pattern('/p'))], roles: {}, bindings: {} },
  })
  const rows = accessReview(policy)
  const cells = toMarkdown(rows).trimEnd().split('\n').slice(2).map((line) => line.replaceAll(/\\([^\n])/g, '$1').split(' | '))
  expect([...new Set(cells.map(([user]) => user))]).toEqual(['| "\\"(anonymous)\\""', '| "a', '| "(anonymous)"', '| (anonymous)'])
  expect(rows.filter(({ access }) => access === 'read').map(({ keys }) => keys)).toEqual(['"/x/*"', '/x/*', '/p'])
  expect(toCsv(rows)).toContain('\r\n(anonymous),,v2,guest,read,/p,no\r\n')
})

test.each([[undefined], [policy], [[null]], [[{}]], [['row']]])('rows that are none are refused: %j', (rows) => {
  for (const write of [toMarkdown, toCsv]) expect(() => write(rows as never)).toThrow(/^(?:the rows of a review must be a list|row 0 is no row of a review): pass what accessReview returns$/)
})

describe('CSV', () => {
  test.each([
    ['/a/*', '/a/*'],
    ['/a,b', '"/a,b"'],
    ['/a"b', '"/a""b"'],
    ['/a\nb', '"/a\nb"'],
    ['=cmd|x', "'=cmd|x"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', `"'\t=1"`.replaceAll('"', '')],
    ['\r=1', `"'\r=1"`],
    ['＝1', "'＝1"],
    ['=a,"b', `"'=a,""b"`],
    [' a', '" a"'],
    ['a\u202eb', 'a\\u{202e}b'],
    ['\ufeff=1', '\\u{feff}=1'],
    ['a\u001b[2J', 'a\\u{1b}[2J'],
  ])('writes %j as %j', (keys, field) => {
    expect(toCsv([rowOf(keys)])).toBe(`user,login,api,role,access,keys,open-ended\r\nu,password,v3,r,read,${field},no\r\n`)
  })

  /** RFC 4180, read anew. */
  function parse(text: string): readonly (readonly string[])[] {
    const rows: string[][] = [[]]
    let rest = text
    while (rest !== '') {
      const [all, quoted, plain] = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))/.exec(rest)!
      rows.at(-1)!.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'))
      rest = rest.slice(all.length)
      if (rest.startsWith(',')) rest = rest.slice(1)
      else if (rest.startsWith('\r\n')) {
        rest = rest.slice(2)
        if (rest !== '') rows.push([])
      } else throw new Error(`no field ends at ${JSON.stringify(rest.slice(0, 20))}`)
    }
    return rows
  }

  test('of any policy reads back cell by cell, and no cell is a formula', () => {
    fc.assert(
      fc.property(anyPolicy, (made) => {
        const rows = accessReview(made)
        const [, ...read] = parse(toCsv(rows))
        expect(read.map(([user]) => user?.replace(/^'(?=[=+\-@])/, ''))).toEqual(rows.map(({ user }) => user ?? '(anonymous)'))
        expect(read.map(([, , , role]) => role?.replace(/^'(?=[=+\-@])/, ''))).toEqual(rows.map(({ role }) => role ?? ''))
        for (const cell of read.flat()) expect(cell).not.toMatch(/^[=+\-@\t\r\n]/)
      }),
    )
  })
})

describe('Markdown', () => {
  test.each([
    ['/a/*', '/a/\\*'],
    ['a|b', 'a\\|b'],
    ['a\nb', 'a\\\\u\\{a\\}b'],
    ['<script>', '\\<script\\>'],
    ['[x](y)', '\\[x\\]\\(y\\)'],
    ['a\\|b', 'a\\\\\\|b'],
    ['`x`', '\\`x\\`'],
  ])('writes %j as %j', (keys, cell) => {
    expect(toMarkdown([rowOf(keys)]).split('\n')[2]).toBe(`| u | password | v3 | r | read | ${cell} | no |`)
  })

  test('of any policy is a table: a line for each row, with as many cells as heads', () => {
    fc.assert(
      fc.property(anyPolicy, (made) => {
        const rows = accessReview(made)
        const lines = toMarkdown(rows).trimEnd().split('\n')
        expect(lines.length).toBe(rows.length + 2)
        for (const line of lines) expect(line.replace(/\\[^\n]/g, '').split('|').length).toBe(9)
      }),
    )
  })
})
