/**
 * DER as a tree that may be changed into what is no DER: for tests that hold readers against damaged input. Knows nothing of the library's own reader.
 */

/** A value: either of values, or of octets. `wraps` is a primitive whose octets are again an encoding, behind so many octets. */
export interface DerNode {
  tag: number
  children: DerNode[] | undefined
  content: Uint8Array
  wraps: number | undefined
  /** How its length is written: as short as can be, with a zero too many, or without end. */
  length: 'shortest' | 'longer' | 'indefinite'
}

/** A value of octets. */
export function leaf(tag: number, ...content: readonly number[]): DerNode {
  return { tag, children: undefined, content: Uint8Array.from(content), wraps: undefined, length: 'shortest' }
}

/** A value of values. */
export function branch(tag: number, ...children: DerNode[]): DerNode {
  return { ...leaf(tag), children }
}

/** The tree of one well-formed encoding, and `undefined` for anything else. */
export function treeOf(der: Uint8Array): DerNode | undefined {
  const found = nodeAt(der, 0, der.length)
  return found?.end === der.length ? found.node : undefined
}

function nodeAt(der: Uint8Array, start: number, limit: number): { readonly node: DerNode; readonly end: number } | undefined {
  const [tag, first] = [der[start], der[start + 1]]
  if (tag === undefined || first === undefined || start + 1 >= limit || (tag & 0x1f) === 0x1f || first === 0x80 || first > 0x83) return undefined
  const octets = first < 0x80 ? 0 : first & 0x7f
  const length = octets === 0 ? first : der.subarray(start + 2, start + 2 + octets).reduce((sum, octet) => sum * 256 + octet, 0)
  const from = start + 2 + octets
  const end = from + length
  if (end > limit) return undefined
  const content = der.slice(from, end)
  if ((tag & 0x20) !== 0) {
    const children: DerNode[] = []
    for (let at = from; at < end; ) {
      const child = nodeAt(der, at, end)
      if (child === undefined) return undefined
      children.push(child.node)
      at = child.end
    }
    return { node: branch(tag, ...children), end }
  }
  const before = tag === 0x03 && content[0] === 0 ? 1 : 0
  const inner = (tag === 0x03 || tag === 0x04) && content[before] === 0x30 ? treeOf(content.subarray(before)) : undefined
  return { node: { ...leaf(tag), content, ...(inner === undefined ? {} : { children: [inner], wraps: before }) }, end }
}

/** What a tree encodes as. */
export function encodingOf(node: DerNode): Uint8Array {
  const inside = node.children?.map(encodingOf)
  const before = node.wraps === 1 ? [Uint8Array.of(0)] : []
  const content = inside === undefined ? [node.content] : [...before, ...inside]
  const length = content.reduce((sum, part) => sum + part.length, 0)
  const shortest = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : length < 0x1_0000 ? [0x82, length >> 8, length & 0xff] : [0x83, length >> 16, (length >> 8) & 0xff, length & 0xff]
  const longer = length < 0x80 ? [0x81, length] : [(shortest[0] ?? 0) + 1, 0, ...shortest.slice(1)]
  const head = node.length === 'shortest' ? shortest : node.length === 'longer' ? longer : [0x80]
  return Buffer.concat([Uint8Array.of(node.tag, ...head), ...content, ...(node.length === 'indefinite' ? [Uint8Array.of(0, 0)] : [])])
}

/** Each value of a tree with the list that it stands in; the root stands in one of its own. */
export function placesOf(root: DerNode): readonly { readonly list: DerNode[]; readonly at: number }[] {
  const found: { list: DerNode[]; at: number }[] = []
  const walk = (list: DerNode[]): void => {
    for (const [at, node] of list.entries()) {
      found.push({ list, at })
      if (node.children !== undefined) walk(node.children)
    }
  }
  walk([root])
  return found
}

/** A tree of its own with the same content. */
export function copyOf(node: DerNode): DerNode {
  return { ...node, content: node.content.slice(), children: node.children?.map(copyOf) }
}
