/** Keys without an upper end, or with one as good as none: whoever holds them holds whatever is added behind them later. */
import { compareBytes, utf8 } from '../bytes.js'
import { patternInterval, toInterval, type Interval } from './interval.js'
import type { KeyRange } from './key-range.js'
import type { PathPattern } from './pattern.js'

/** The last character of Unicode: a text sorts at or behind it only if it begins with it. */
const LAST_TEXT = utf8('\u{10ffff}')

/** Where all v2 paths end: each begins with a slash. */
const AFTER_PATHS = utf8('0')

/**
 * Whether an interval of keys ends where no key of text lies any more, though it begins among them: it has no end, or one of U+10FFFF or of bytes
 * behind it, such as 0xff. On v2, whether it goes on to the last path.
 */
export function isOpenInterval(api: 'v2' | 'v3', { start, end }: Interval): boolean {
  if (end === undefined) return true
  const last = api === 'v3' ? LAST_TEXT : AFTER_PATHS
  return compareBytes(start, last) < 0 && compareBytes(end, last) >= 0
}

/** Whether keys have no upper end, or one as good as none. On v2 these are the patterns for all paths. */
export function isOpenEnded(keys: KeyRange | PathPattern): boolean {
  return isOpenInterval(keys.api, keys.api === 'v3' ? toInterval(keys) : patternInterval(keys))
}
