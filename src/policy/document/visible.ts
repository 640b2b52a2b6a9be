/** Text of unknown origin, for people to read. */

/** Characters that nobody sees, or that turn what stands beside them around: control and format characters, line and paragraph separators. */
export const INVISIBLE: RegExp = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

/** A character as its code point: `\u{202e}`. */
function codePoint(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
}

/** A text with its invisible characters as code points. @param besides Those that stay. */
export function visibleText(text: string, besides = ''): string {
  return text.replace(new RegExp(INVISIBLE.source, 'gu'), (character) => (besides.includes(character) ? character : codePoint(character)))
}
