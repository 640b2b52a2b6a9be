import { describe, expect, test } from 'vitest'
import { days, hours } from '../../../src/pki/index.js'
import { checkLeafValidity, checkValidity } from '../../../src/pki/validity.js'
import { thrown } from '../../support/thrown.js'

const now = new Date('2026-11-24T12:00:00.789Z')
const ca = { name: 'etcd-clients', notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2036-01-01T00:00:00Z') }

test('a lifetime ends that long after the present, begins as much earlier as asked, and is in whole seconds', () => {
  expect(days(90).from(now)).toEqual({ notBefore: new Date('2026-11-24T12:00:00Z'), notAfter: new Date('2027-02-22T12:00:00Z') })
  expect(days(90).from(now, { backdateMinutes: 5 })).toEqual({ notBefore: new Date('2026-11-24T11:55:00Z'), notAfter: new Date('2027-02-22T12:00:00Z') })
  expect(hours(1.5).from(now).notAfter).toEqual(new Date('2026-11-24T13:30:00Z'))
})

test.each([0, -1, Number.NaN, Infinity, 1e9])('a lifetime of %d days is refused', (count) => {
  thrown('ERR_VALIDITY_INVALID', () => days(count).from(now))
})

test.each([-1, 61, Number.NaN, Infinity])('backdating by %d minutes is refused', (backdateMinutes) => {
  thrown('ERR_VALIDITY_INVALID', () => days(1).from(now, { backdateMinutes }))
})

describe('dates that no certificate can have are refused', () => {
  test.each([
    ['an invalid beginning', new Date(Number.NaN), now],
    ['an invalid end', now, new Date(Number.NaN)],
    ['an end before the beginning', now, new Date(now.getTime() - 1000)],
    ['an end within the first second', now, new Date(now.getTime() + 200)],
    ['a beginning before 1950', new Date('1949-12-31T23:59:59Z'), now],
    ['an end after 9999', now, new Date('+010000-01-01T00:00:00Z')],
  ])('%s', (_, notBefore, notAfter) => {
    thrown('ERR_VALIDITY_INVALID', () => checkValidity({ notBefore, notAfter }))
  })

  test('and what are no dates are a TypeError', () => {
    expect(() => checkValidity(undefined as never)).toThrow(TypeError)
    expect(() => checkValidity({ notBefore: '2026-01-01', notAfter: now } as never)).toThrow(TypeError)
    expect(() => days('90' as never)).toThrow(TypeError)
    expect(() => days(90).from(Date.now() as never)).toThrow(TypeError)
  })
})

test('a leaf neither begins before its authority nor outlives it: refused, not shortened', () => {
  const before = thrown('ERR_VALIDITY_INVALID', () => checkLeafValidity({ notBefore: new Date('2025-12-31T23:59:59Z'), notAfter: now }, ca, false))
  expect(before.message).toContain('etcd-clients')
  expect(before.message).toContain('backdate the authority')
  expect(thrown('ERR_VALIDITY_INVALID', () => checkLeafValidity({ notBefore: now, notAfter: new Date('2036-01-01T00:00:01Z') }, ca, true)).message).toContain('outlive')
  expect(checkLeafValidity({ notBefore: new Date('2035-06-01T00:00:00Z'), notAfter: ca.notAfter }, ca, false).notAfter).toEqual(ca.notAfter)
})

test('397 days, backdated by at most an hour, are granted; more must be asked for in words', () => {
  expect(checkLeafValidity(days(397).from(now, { backdateMinutes: 60 }), ca, false)).toBeDefined()
  const long = days(398).from(now)
  expect(thrown('ERR_VALIDITY_INVALID', () => checkLeafValidity(long, ca, false)).message).toContain("longLived: 'longer than 397 days'")
  expect(checkLeafValidity(long, ca, true)).toEqual(long)
})
