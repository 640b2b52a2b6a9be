/** The order of names and keys: by bytes (Go's `sort.Strings` and bbolt's buckets), which JavaScript's order of UTF-16 units is not. */
import { compareBytes, utf8 } from '../../bytes.js'

/** Names in etcd's order. */
export function sortNames(names: Iterable<string>): string[] {
  return [...names]
    .map((name) => ({ name, bytes: utf8(name) }))
    .sort((a, b) => compareBytes(a.bytes, b.bytes))
    .map(({ name }) => name)
}
