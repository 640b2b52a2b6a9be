/** Which keys compile: a prefix that is known when compiling is terminated, or the caller says that it means its siblings. */
import { fromKey, key, pattern, prefix, range } from '../../src/keys/index.js'

declare const name: string
declare const bytes: Uint8Array
declare const terminated: '/a/' | '/b/'
declare const half: '/a/' | '/b'
declare const digit: 1 | 2

key('/x')
key(bytes)
fromKey('/x')
range('/a', bytes)
pattern('/c/*')
prefix('/calico/')
prefix('/calico', { siblings: 'include' })
prefix('/calico/', {})
prefix(terminated)
// What is not known when compiling is checked at run time.
prefix(name)
prefix(bytes)
prefix(`/tenants/${name}`)
prefix(`/tenants/${name}/`)
prefix(`/tenants/${digit}/`)

// @ts-expect-error no terminator
prefix('/calico')
// @ts-expect-error no terminator in one of the cases
prefix(half)
// @ts-expect-error no terminator in any of the cases
prefix(`/tenants/${digit}`)
// @ts-expect-error not meant by an empty option
prefix('/calico', {})
// @ts-expect-error siblings may be included, or not spoken of
prefix('/calico', { siblings: 'exclude' })
// @ts-expect-error not meant by a boolean
prefix('/calico', { siblings: true })
// @ts-expect-error no such option
prefix('/calico', { sibling: 'include' })
// @ts-expect-error no key
key(7)
// @ts-expect-error an end is missing
range('/a')
// @ts-expect-error a pattern is text
pattern(bytes)
// @ts-expect-error a key does not change
key('/x').key = '/y'
