/** Damage, as a seed decides it: to octets, to PEM, and to the structure of DER, where a reader must be strict about each single thing. */
import { branch, copyOf, leaf, placesOf, type DerNode } from './der-tree.js'
import type { Random } from './random.js'

const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)]!

/** Identifiers that mean something where certificates are read: names, extensions, usages, keys, signatures. */
const OBJECTS = [
  '550403', '55040a', '550406', '2a864886f70d010901', '551d0e', '551d0f', '551d11', '551d13', '551d1e', '551d1f', '551d23', '551d25', '551d24', '551d14', '551d15', '2a864886f70d01090e', '2b06010505070301',
  '2b06010505070302', '551d2500', '2a8648ce3d0201', '2a8648ce3d030107', '2b81040022', '2b81040021', '2b8104000a', '2a864886f70d010101', '2a864886f70d01010a', '2b6570', '2b656e', '2a8648ce3d040302',
  '2a8648ce3d0401', '2a864886f70d01010b', '2a864886f70d010105', '8837', '2a80', '80',
].map((hex) => Buffer.from(hex, 'hex'))
const TAGS = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1c, 0x1e, 0x24, 0x2c, 0x30, 0x31, 0x80, 0x81, 0x82, 0x86, 0x87, 0xa0, 0xa1, 0xa2, 0xa3, 0x1f, 0x41, 0xff, 0x00]
const TEXTS = ['root', 'alice', '', 'a\0root', 'root\0', '/../root', 'Ünïcode', '*.example.com', 'x'.repeat(65), '20260101000000Z', '500101000000Z', '20260230000000Z', '99991231235959Z', '260101000000+0100', '20260101000000.5Z', '2601010000Z']
const NUMBERS = [[0], [1], [0, 0x80], [0x80], [0xff], [0, 1], [0, 0], [0x7f], [0xff, 0xff], [0, 0xff, 0xff, 0xff, 0xff, 0xff], []]

type Change = (place: { readonly list: DerNode[]; readonly at: number }, random: Random, other: () => DerNode) => void

const CHANGES: readonly Change[] = [
  // The list itself.
  ({ list, at }) => void list.splice(at, 1),
  ({ list, at }) => void list.splice(at, 0, copyOf(list[at]!)),
  ({ list, at }, random) => {
    const to = random(list.length)
    ;[list[at], list[to]] = [list[to]!, list[at]!]
  },
  ({ list, at }, _, other) => void list.splice(at, 0, other()),
  ({ list, at }, _, other) => void (list[at] = other()),
  ({ list, at }, random) => void list.splice(at + random(2), 0, pick(random, [leaf(0x05), leaf(0x01, 0), leaf(0x01, 0xff), leaf(0x01, 1), leaf(0x02, 1), branch(0x30), branch(0x31), branch(0xa0), leaf(0x05, 0)])),
  // Its form.
  ({ list, at }, random) => void (list[at]!.tag = pick(random, TAGS)),
  ({ list, at }, random) => void (list[at]!.tag ^= 1 << random(8)),
  ({ list, at }) => void (list[at]!.length = 'longer'),
  ({ list, at }) => void (list[at]!.length = 'indefinite'),
  ({ list, at }, random) => void (list[at] = branch(pick(random, [0x30, 0x31, 0xa0, 0x24]), list[at]!)),
  ({ list, at }) => void list.splice(at, 1, ...(list[at]!.children ?? [])),
  ({ list, at }) => {
    const node = list[at]!
    node.children?.reverse()
  },
  ({ list, at }) => void (list[at]!.children = list[at]!.wraps === undefined ? list[at]!.children : undefined),
  // Its content.
  ({ list, at }, random) => {
    const { content } = list[at]!
    if (content.length > 0) content[random(content.length)]! ^= 1 << random(8)
  },
  ({ list, at }, random) => void (list[at]!.content = list[at]!.content.slice(0, random(list[at]!.content.length + 1))),
  ({ list, at }, random) => void (list[at]!.content = Buffer.concat([list[at]!.content, Uint8Array.from({ length: 1 + random(4) }, () => random(256))])),
  ({ list, at }, random) => void (list[at]!.content = Buffer.concat([Uint8Array.of(pick(random, [0, 0x80, 0xff])), list[at]!.content])),
]

/** What is written in its place goes by what stands there. */
const meaningful: Change = ({ list, at }, random) => {
  const node = list[at]!
  if (node.tag === 0x06) node.content = pick(random, OBJECTS)
  else if (node.tag === 0x02 || node.tag === 0x0a) node.content = Uint8Array.from(pick(random, NUMBERS))
  else if (node.tag === 0x01) node.content = Uint8Array.from(pick(random, [[0], [1], [0xff], [], [0xff, 0xff]]))
  else if (node.tag === 0x03) node.content = Buffer.concat([Uint8Array.of(random(9)), node.content.subarray(1)])
  else node.content = Buffer.from(pick(random, TEXTS))
}

/** Changes a tree in one to three places; `others` are trees that pieces may come from. */
export function mutateTree(root: DerNode, others: readonly DerNode[], random: Random): void {
  const other = (): DerNode => {
    const places = placesOf(pick(random, others))
    const { list, at } = pick(random, places)
    return copyOf(list[at]!)
  }
  for (let left = 1 + (random(3) === 0 ? random(3) : 0); left > 0; left--) {
    // The root is whoever calls: it stays.
    const places = placesOf(root).slice(1)
    if (places.length === 0) return
    const change = random(4) === 0 ? meaningful : pick(random, CHANGES)
    change(pick(random, places), random, other)
  }
}

/** Changes octets, whatever they mean. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random(bytes.length + 1)
  const more = Uint8Array.from({ length: 1 + random(3) }, () => random(256))
  switch (random(6)) {
    case 0:
      return bytes.slice(0, at)
    case 1:
      return Buffer.concat([bytes, more])
    case 2:
      return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)])
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(3))])
    case 4:
      return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at + more.length)])
    default: {
      const changed = bytes.slice()
      if (at < changed.length) changed[at]! ^= 1 << random(8)
      return changed
    }
  }
}

const LINES = ['', ' ', 'Proc-Type: 4,ENCRYPTED', 'subject=/CN=root', '-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----', '-----BEGIN X509 CERTIFICATE-----', '-----BEGIN PRIVATE KEY-----', 'AAAA', '====', 'A', '#', '\u00a0', '\ufeff', '\0', 'AAAA=', '--------', '\t']

/** Changes the lines of PEM, or the letters in them. */
export function mutatePem(text: string, random: Random): string {
  const lines = text.split('\n')
  const at = random(lines.length)
  switch (random(9)) {
    case 0:
      return [...lines.slice(0, at), pick(random, LINES), ...lines.slice(at)].join('\n')
    case 1:
      return [...lines.slice(0, at), ...lines.slice(at + 1)].join('\n')
    case 2:
      return lines.join('\r\n')
    case 3:
      return text + text
    case 4:
      return lines.map((line) => (random(4) === 0 ? `${line}${pick(random, [' ', '\t', '  '])}` : line)).join('\n')
    case 5:
      return `${lines[0]!}\n${lines.slice(1, -2).join('')}\n${lines.at(-2)!}\n`
    case 6: {
      const body = lines.slice(1, -2).join('')
      const width = 1 + random(80)
      return [lines[0]!, ...(body.match(new RegExp(`.{1,${String(width)}}`, 'g')) ?? []), lines.at(-2)!, ''].join('\n')
    }
    case 7:
      return text.replace(/-----/g, (dashes) => (random(2) === 0 ? dashes : '----'))
    default: {
      const place = random(text.length)
      return text.slice(0, place) + pick(random, ['=', ' ', '\n', 'A', '-', '_', '\u0000', 'é', '']) + text.slice(place + random(2))
    }
  }
}
