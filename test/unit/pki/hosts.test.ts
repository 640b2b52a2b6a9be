import { describe, expect, test } from 'vitest'
import { toHex } from '../../../src/bytes.js'
import { alternativeNameOf, checkHosts, hostOfAddress } from '../../../src/pki/hosts.js'
import { hostsOf, loopbackHosts } from '../../../src/pki/index.js'
import { hostile, thrown } from '../../support/thrown.js'

test('hosts are those of the URLs, each once, in one spelling, and nothing is added', () => {
  expect(
    hostsOf('https://10.0.0.10:2379', 'https://[FD00:0:0::1]:2379/', 'https://Etcd-0.Example:2379', 'https://10.0.0.10', 'https://127.0.0.1:2379', 'https://[::1]:2379'),
  ).toEqual(['10.0.0.10', 'fd00::1', 'etcd-0.example', '127.0.0.1', '::1'])
  expect(hostsOf()).toEqual([])
  expect(checkHosts([...hostsOf('https://10.0.0.10:2379'), ...loopbackHosts])).toEqual(['10.0.0.10', 'localhost', '127.0.0.1', '::1'])
})

describe('a URL that is not a member to dial is refused', () => {
  test.each([
    'http://10.0.0.10:2379', 'unix://etcd', '10.0.0.10:2379', '//10.0.0.10', 'https://', 'https://:2379', 'https://user@etcd-0:2379', 'https://user:pass@etcd-0:2379',
    'https://etcd-0:2379/v3', 'https://etcd-0:2379?x', 'https://etcd-0:2379#x', 'https://etcd-0:65536', 'https://etcd-0:x', 'https://fd00::1:2379', 'https://[fd00::1', 'https://*.example:2379',
    'https://0.0.0.0:2379', 'https://[::]:2379', 'https://[fe80::1%25eth0]:2379', 'https://étcd.example:2379', 'https://etcd 0:2379', ' https://etcd-0:2379', 'https://etcd-0:2379\n', 'https://etcd_0:2379',
    'https://etcd-0.:2379', 'https://-etcd:2379', 'https://010.0.0.1:2379', 'https://10.0.0.256:2379', 'https://10.1:2379', 'https://0x7f000001:2379', 'https://2130706433:2379', 'https://[::ffff:10.0.0.1]:2379',
    'https://[1:2]:2379', 'https://%65tcd:2379', 'https://etcd\u0000.example',
  ])('%j', (url) => {
    thrown('ERR_HOST_INVALID', () => hostsOf(url))
  })

  test.each(hostile)('%s is a TypeError', (_, value) => {
    expect(() => hostsOf(value as string)).toThrow(TypeError)
    expect(() => checkHosts([value as string])).toThrow(TypeError)
  })
})

test('hosts written by hand obey the same rules, and there is at least one', () => {
  expect(checkHosts(['ETCD-0', 'fd00:0::1', 'fd00::1'])).toEqual(['etcd-0', 'fd00::1'])
  for (const host of ['*', '', 'https://etcd-0', 'etcd-0:2379', '[::1]', 'a..b', `${'a'.repeat(64)}.example`, 'a.'.repeat(130)]) thrown('ERR_HOST_INVALID', () => checkHosts([host]))
  thrown('ERR_HOST_INVALID', () => checkHosts([]))
  expect(() => checkHosts('etcd-0' as never)).toThrow(TypeError)
})

test.each([
  ['10.0.0.255', '0a0000ff'],
  ['fd00::1', 'fd000000000000000000000000000001'],
  ['::1', '00000000000000000000000000000001'],
  ['fd00::', 'fd000000000000000000000000000000'],
  ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
  ['2001:db8::8:800:200c:417a', '20010db80000000000080800200c417a'],
])('address %s goes to bytes and back', (host, hex) => {
  const name = alternativeNameOf(host)
  expect(name.kind === 'ip' && toHex(name.address)).toBe(hex)
  expect(name.kind === 'ip' && hostOfAddress(name.address)).toBe(host)
})

test('a name is a DNS name, and other lengths are no address', () => {
  expect(alternativeNameOf('etcd-0.example')).toEqual({ kind: 'dns', name: 'etcd-0.example' })
  expect(hostOfAddress(new Uint8Array(8))).toBeUndefined()
})
