/** Words of a POSIX shell (IEEE Std 1003.1, 2.2 Quoting), made so that nothing in them is read as anything but itself. */
import { fromUtf8 } from '../../bytes.js'
import { INVISIBLE } from './visible.js'

/** A text as one word: in single quotes, in which a shell reads nothing. */
export function quotedWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** How many bytes Linux takes as one argument (execve(2), MAX_ARG_STRLEN, without the zero byte at its end). */
const LONGEST = 131_071

/** A byte in a format of `printf`. */
function printfByte(byte: number): string {
  const character = String.fromCharCode(byte)
  return /[\w/.:@]/.test(character) ? character : `\\${byte.toString(8).padStart(3, '0')}`
}

/**
 * Bytes as one word, or `undefined` where no argument of a process can be them: they hold a zero byte, or are too many. What is no UTF-8, or holds a
 * character that nobody sees, is written by `printf`, so that a script is what it looks like.
 */
export function bytesWord(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0) || bytes.length > LONGEST) return undefined
  const text = fromUtf8(bytes)
  if (text !== undefined && !INVISIBLE.test(text)) return quotedWord(text)
  // A command substitution drops the line breaks at its end: they go behind it.
  let end = bytes.length
  while (bytes[end - 1] === 0x0a) end--
  const octal = [...bytes.subarray(0, end)].map(printfByte).join('')
  const breaks = bytes.length - end
  return `"$(printf '${octal}')"${breaks === 0 ? '' : quotedWord('\n'.repeat(breaks))}`
}
