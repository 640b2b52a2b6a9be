/** One line for data: a hash of its canonical text, JSON with fields by name and those without a value left away. */
import { utf8 } from '../bytes.js'

/** So much is hashed at a time: one text of all of a plan would be many megabytes. */
const CHARACTERS = 1 << 16

/** FNV-1a, 64 bits, of the UTF-8 of texts, one after the other: tells texts apart, keeps nothing secret and nothing safe. */
function createHash(): { add(text: string): void; hex(): string } {
  let [high, low] = [0xcbf29ce4, 0x84222325]
  let waiting = ''
  const flush = (): void => {
    // In halves, since BigInt is slow, and the lower one in halves again, for products of 32 bits: the prime is 2^40 + 0x1b3.
    let [upper, lower] = [high, low]
    for (const byte of utf8(waiting)) {
      const mixed = lower ^ byte
      const right = (mixed & 0xffff) * 0x1b3
      const left = (mixed >>> 16) * 0x1b3 + (right >>> 16)
      upper = (Math.imul(upper, 0x1b3) + (left >>> 16) + (mixed << 8)) | 0
      lower = (left << 16) | (right & 0xffff)
    }
    ;[high, low, waiting] = [upper, lower, '']
  }
  return {
    add: (text) => {
      waiting += text
      if (waiting.length > CHARACTERS) flush()
    },
    hex: () => {
      flush()
      return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('')
    },
  }
}

/** The hash of one text. */
export function hashOf(text: string): string {
  const hash = createHash()
  hash.add(text)
  return hash.hex()
}

/** The hash of the canonical text of data. What stands in it again and again is written once. */
export function digestOf(value: unknown): string {
  const hash = createHash()
  const lists = new Map<object, string>()
  const add = (part: unknown): void => {
    if (Array.isArray(part)) addList(part)
    else if (typeof part === 'object' && part !== null) addFields(part as Readonly<Record<string, unknown>>)
    else hash.add(JSON.stringify(part ?? null))
  }
  const addList = (list: readonly unknown[]): void => {
    const known = lists.get(list)
    if (known !== undefined) return void hash.add(known)
    if (list.every((one) => typeof one === 'string')) {
      const text = JSON.stringify(list)
      lists.set(list, text)
      return void hash.add(text)
    }
    let before = '['
    for (const one of list) {
      hash.add(before)
      add(one)
      before = ','
    }
    hash.add(list.length === 0 ? '[]' : ']')
  }
  const addFields = (fields: Readonly<Record<string, unknown>>): void => {
    let before = '{'
    for (const name of Object.keys(fields).sort()) {
      if (fields[name] === undefined) continue
      hash.add(`${before}${JSON.stringify(name)}:`)
      add(fields[name])
      before = ','
    }
    hash.add(before === '{' ? '{}' : '}')
  }
  add(value)
  return hash.hex()
}
