import { expect, test } from 'vitest'
import { fromWire, prefixEnd } from '../../../src/keys/interval.js'

// Clients hand out Node's Buffer, whose slice() is a view where that of Uint8Array is a copy.
test('the end of a prefix in a Buffer leaves the Buffer as it was', () => {
  const key = Buffer.from('/calico/')
  expect(Buffer.from(prefixEnd(key) ?? []).toString()).toBe('/calico0')
  expect(key.toString()).toBe('/calico/')
})

test('a prefix read from a client that answers in Buffers is that prefix', () => {
  expect(fromWire({ key: Buffer.from('/calico/'), rangeEnd: Buffer.from('/calico0') })).toEqual({ api: 'v3', kind: 'prefix', prefix: '/calico/' })
})
