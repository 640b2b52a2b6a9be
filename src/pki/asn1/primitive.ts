/** The canonical form of each universal primitive that X.509 uses (X.690 §8, §11). */
import { fromUtf8 } from '../../bytes.js'
import { refuseDer } from './refuse.js'
import { readGeneralizedTime, readUtcTime } from './time.js'

const ascii = (bytes: Uint8Array): string => String.fromCharCode(...bytes)

const isMinimalInteger = ([first = 0, second = 0]: Uint8Array, length: number): boolean =>
  length === 1 || !((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))

/** What is wrong with the content of a primitive, by tag; a tag that is not here is refused. */
const problems: ReadonlyMap<number, (content: Uint8Array) => string | undefined> = new Map<number, (content: Uint8Array) => string | undefined>([
  [0x01, (content) => (content.length === 1 && (content[0] === 0 || content[0] === 0xff) ? undefined : 'a BOOLEAN that is neither 00 nor ff')],
  [0x02, integer],
  [0x03, bitString],
  [0x04, () => undefined],
  [0x05, (content) => (content.length === 0 ? undefined : 'a NULL with content')],
  [0x06, objectIdentifier],
  [0x0a, integer],
  [0x0c, (content) => (fromUtf8(content) === undefined ? 'a UTF8String that is not UTF-8' : undefined)],
  [0x12, (content) => text(content, /^[0-9 ]*$/, 'NumericString')],
  [0x13, (content) => text(content, /^[A-Za-z0-9 '()+,\-./:=?]*$/, 'PrintableString')],
  // T61 has no single meaning: the bytes pass, and no reader here gives them one beyond ASCII.
  [0x14, () => undefined],
   
  [0x16, (content) => text(content, /^[\x00-\x7f]*$/, 'IA5String')],
  [0x17, (content) => (readUtcTime(content) === undefined ? 'a UTCTime that is not a date of the form YYMMDDHHMMSSZ' : undefined)],
  [0x18, (content) => (readGeneralizedTime(content) === undefined ? 'a GeneralizedTime that is not a date of the form YYYYMMDDHHMMSSZ' : undefined)],
  [0x1a, (content) => text(content, /^[\x20-\x7e]*$/, 'VisibleString')],
  [0x1c, (content) => (content.length % 4 === 0 ? undefined : 'a UniversalString of a fraction of characters')],
  [0x1e, (content) => (content.length % 2 === 0 ? undefined : 'a BMPString of a fraction of characters')],
])

/** Refuses a universal primitive whose content is not canonical. */
export function checkPrimitive(tag: number, content: Uint8Array, offset: number): void {
  const check = problems.get(tag)
  if (check === undefined) return refuseDer(offset, tag === 0x10 || tag === 0x11 ? 'a primitive SEQUENCE or SET' : `tag 0x${tag.toString(16)}, which X.509 does not use`)
  const problem = check(content)
  if (problem !== undefined) refuseDer(offset, problem)
}

function integer(content: Uint8Array): string | undefined {
  if (content.length === 0) return 'an INTEGER without content'
  return isMinimalInteger(content, content.length) ? undefined : 'an INTEGER that is not in its shortest form'
}

function bitString(content: Uint8Array): string | undefined {
  const [unused = 8] = content
  if (unused > 7 || (unused > 0 && content.length === 1)) return 'a BIT STRING whose count of unused bits is impossible'
  return ((content.at(-1) ?? 0) & ((1 << unused) - 1)) === 0 || content.length === 1 ? undefined : 'a BIT STRING whose unused bits are not zero'
}

function objectIdentifier(content: Uint8Array): string | undefined {
  if (content.length === 0 || content.length > 64) return 'an OBJECT IDENTIFIER of impossible length'
  if ((content.at(-1) ?? 0x80) >= 0x80) return 'an OBJECT IDENTIFIER that is cut off'
  for (let i = 0; i < content.length; i++)
    if (content[i] === 0x80 && (i === 0 || (content[i - 1] ?? 0) < 0x80)) return 'an OBJECT IDENTIFIER that is not in its shortest form'
  return undefined
}

function text(content: Uint8Array, allowed: RegExp, name: string): string | undefined {
  return content.length <= 4096 && allowed.test(ascii(content)) ? undefined : `a ${name} with other characters`
}
