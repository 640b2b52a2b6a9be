import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { EtcdRbacError, isEtcdRbacError, quoted } from '../../../src/errors.js'

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

  const KEY = `-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg${'Zm9v'.repeat(20)}\n-----END PRIVATE KEY-----\n`
  test.each([
    ['a key in PEM', KEY, 'Zm9v'],
    ['the body of a key', KEY.split('\n')[1]!, 'Zm9v'],
    ['a password in a URL', 'https://root:hunter2@10.0.0.1:2379', 'hunter2'],
    ['a user in a URL', 'https://hunter2@10.0.0.1:2379/x', 'hunter2'],
  ])('shows nothing of %s that came in the wrong place, neither in its text nor in its detail', (_, given, secret) => {
    const wrong = new EtcdRbacError('ERR_HOST_INVALID', { found: `host ${quoted(given)}`, wanted: 'another', fix: 'correct it' }, { host: given })
    const problems = new EtcdRbacError('ERR_RECORD_INVALID', { found: 'records', wanted: 'others', fix: 'correct them' }, { problems: [{ path: '$', code: 'ERR_RECORD_INVALID', message: given }] })
    expect(wrong.message + JSON.stringify([wrong.detail, problems.detail])).not.toContain(secret)
  })

  test.each(['https://10.0.0.1:2379', 'Mallory', '/registry/pods/default/a-rather-long-name-that-has-letters-digits-0-and-slashes', 'user@example', 'https://a/x@y'])('shows %s as it is', (text) => {
    expect(quoted(text)).toBe(JSON.stringify(text))
    expect(new EtcdRbacError('ERR_HOST_INVALID', { found: '', wanted: '', fix: '' }, { host: text }).detail.host).toBe(text)
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

test('each code in the table is thrown somewhere', () => {
  const src = fileURLToPath(new URL('../../../src/', import.meta.url))
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))
  const textOf = (path: string): string => readFileSync(`${src}/${path}`, 'utf8')
  const thrown = new Set(files.filter((path) => path !== 'errors.ts').flatMap((path) => [...textOf(path).matchAll(/'(ERR_[A-Z0-9_]+)'/g)].map(([, code]) => code)))
  const listed = [...textOf('errors.ts').matchAll(/readonly (ERR_[A-Z0-9_]+):/g)].map(([, code]) => code)
  expect(listed.length).toBeGreaterThan(50)
  expect(listed.filter((code) => !thrown.has(code))).toEqual([])
})
