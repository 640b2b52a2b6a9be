import { describe, expect, test } from 'vitest'
import { EtcdRbacError, isEtcdRbacError } from '../../../src/errors.js'

const error = new EtcdRbacError('ERR_KEY_INVALID', { found: 'an empty key', wanted: 'at least one byte', fix: 'use allKeys()' }, { key: '' })

describe('an error of the library', () => {
  test('says what was found, what was wanted and what to do, in this order', () => {
    expect(error.message).toBe('an empty key; wanted at least one byte; use allKeys().')
  })

  test('carries its code, its detail and its name, and is an Error', () => {
    expect(error).toBeInstanceOf(Error)
    expect(error.code).toBe('ERR_KEY_INVALID')
    expect(error.detail).toEqual({ key: '' })
    expect(error.name).toBe('EtcdRbacError')
    expect(String(error)).toMatch(/^EtcdRbacError: an empty key/)
  })

  test('keeps its cause, and has none where none was given', () => {
    const cause = new Error('below')
    expect(new EtcdRbacError('ERR_TLS', { found: 'a', wanted: 'b', fix: 'c' }, { reason: 'd' }, cause).cause).toBe(cause)
    expect('cause' in error).toBe(false)
  })
})

describe('isEtcdRbacError', () => {
  test('tells codes apart', () => {
    expect(isEtcdRbacError(error)).toBe(true)
    expect(isEtcdRbacError(error, 'ERR_KEY_INVALID')).toBe(true)
    expect(isEtcdRbacError(error, 'ERR_TLS')).toBe(false)
  })

  test('knows an error of another copy of the library', () => {
    class Other extends Error {
      override readonly name = 'EtcdRbacError'
      readonly code = 'ERR_TLS'
    }
    expect(isEtcdRbacError(new Other())).toBe(true)
    expect(isEtcdRbacError(new Other(), 'ERR_TLS')).toBe(true)
    expect(isEtcdRbacError(new Other(), 'ERR_NOT_ROOT')).toBe(false)
  })

  test.each([[undefined], [null], ['EtcdRbacError'], [new Error('EtcdRbacError')], [new TypeError('x')], [{ name: 'EtcdRbacError', code: 'ERR_TLS' }], [() => error], [Symbol('x')]])('is false for %s', (value) => {
    expect(isEtcdRbacError(value)).toBe(false)
    expect(isEtcdRbacError(value, 'ERR_TLS')).toBe(false)
  })
})
