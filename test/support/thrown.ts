import { isEtcdRbacError, type ErrorCode, type EtcdRbacError } from '../../src/errors.js'

/** The typed error of this code that `run` throws. Fails the test if it throws another, or nothing. */
export function thrown<Code extends ErrorCode>(code: Code, run: () => unknown): EtcdRbacError<Code> {
  let result: unknown
  try {
    result = run()
  } catch (error) {
    if (isEtcdRbacError(error, code)) return error
    throw new Error(`wanted ${code}, found ${String(error)}`, { cause: error })
  }
  throw new Error(`wanted ${code}, found ${JSON.stringify(result)}`)
}

/** What a JavaScript caller may pass where a string, a list or a table is wanted. */
export const hostile: readonly (readonly [string, unknown])[] = [
  ['undefined', undefined],
  ['null', null],
  ['a number', 7],
  ['NaN', Number.NaN],
  ['a bigint', 7n],
  ['a boolean', true],
  ['a symbol', Symbol('x')],
  ['a function', () => '/x/'],
  ['a list', ['/x/']],
  ['a String object', Object('/x/')],
  ['what prints as a key', { toString: () => '/x/' }],
  ['an array buffer', new ArrayBuffer(3)],
  ['words', new Uint16Array([0x2f])],
  ['a map', new Map([['api', 'v3']])],
  ['a date', new Date(0)],
  ['a table without prototype', Object.create(null)],
]
