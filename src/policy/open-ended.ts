/** Which keys reach whatever is added behind them later. */
import { compareBytes, utf8 } from '../bytes.js'
import { toInterval } from '../keys/interval.js'
import type { KeyRange } from '../keys/key-range.js'
import type { PathPattern } from '../keys/pattern.js'

/** The last code point, which is no character: a key that is text does not begin with it. */
const LAST = utf8('\u{10ffff}')

/** Whether every key that is text and comes after its start is in it: it has no end, or one behind all text, such as a byte 0xff or U+10FFFF. */
export function isOpenEnded(keys: KeyRange | PathPattern): boolean {
  if (keys.api === 'v2') return keys.pattern === '*' || keys.pattern === '/*'
  const { start, end } = toInterval(keys)
  return end === undefined || (compareBytes(start, LAST) < 0 && compareBytes(end, LAST) >= 0)
}
