import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toHex, utf8 } from '../../../src/bytes.js'
import { readDer } from '../../../src/pki/asn1/der.js'
import { nameConstraintsValue, readNameConstraints, type Subtrees } from '../../../src/pki/asn1/name-constraints.js'
import { sequence, tagged, taggedPrimitive, tlv } from '../../../src/pki/asn1/write.js'
import { addressBytes } from '../../../src/pki/hosts.js'
import { createCa, createCsr, createIntermediateCa, days, generateKeyPair, issueClient, issueGateway, issueServer, openCa, type NameConstraints } from '../../../src/pki/index.js'
import { checkNameConstraints, constrainedNames, forbiddenName } from '../../../src/pki/name-constraints.js'
import { readPem } from '../../../src/pki/pem.js'
import { certificateOf, certSign, extension, isCa, keyOf, NOW, policy, rejected, validity } from '../../support/pki.js'

const { crypto } = globalThis
const { signer } = await keyOf(crypto)
const tenYears = days(3650).from(NOW, { backdateMinutes: 60 })

/** What constraints say of one host. */
const allows = (constraints: Subtrees, host: string): boolean => {
  const address = addressBytes(host)
  return forbiddenName(constraints, address === undefined ? { dns: [host], addresses: [], hostless: [] } : { dns: [], addresses: [address], hostless: [] }) === undefined
}

describe('of the names', () => {
  const dns = (...suffixes: string[]): Subtrees['permitted'] => suffixes.map((suffix) => ({ kind: 'dns', suffix }))
  const table: readonly (readonly [title: string, constraints: Subtrees, inside: readonly string[], outside: readonly string[]])[] = [
    ['one permitted name', checkNameConstraints({ permitted: ['etcd.example'] }),
      ['etcd.example', 'a.etcd.example', 'b.a.etcd.example', 'A.Etcd.EXAMPLE', '*.etcd.example', '10.0.0.1', '::1'],
      ['example', 'xetcd.example', 'etcd.example.org', 'etcd', 'localhost', '*.example', 'etcd.example.', '.etcd.example', 'a..etcd.example', 'ä.etcd.example', '']],
    ['a permitted name in capitals', checkNameConstraints({ permitted: ['ETCD.example'] }), ['a.etcd.example', 'ETCD.EXAMPLE'], ['etcd.examples']],
    ['two permitted names', checkNameConstraints({ permitted: ['etcd.example', 'localhost'] }), ['localhost', 'x.etcd.example', 'x.localhost'], ['etcd.other']],
    ['an excluded name', checkNameConstraints({ excluded: ['test.example'] }), ['example', 'xtest.example', 'other', '*.x.example'], ['test.example', 'a.TEST.example', '*.test.example', '*.example', 'test.example.']],
    ['a permitted and an excluded name', checkNameConstraints({ permitted: ['example'], excluded: ['test.example'] }), ['a.example', 'example'], ['test.example', 'x.test.example', 'other', '*.example']],
    ['a name with a dot in front, of others', { permitted: dns('.etcd.example'), excluded: [] }, ['a.etcd.example', 'b.a.etcd.example'], ['etcd.example', 'xetcd.example']],
    ['the empty name, of others', { permitted: dns(''), excluded: [] }, ['a', 'a.b'], ['a.']],
    ['the empty name excluded', { permitted: [], excluded: dns('') }, ['10.0.0.1'], ['a', 'a.b', '*.b']],
    ['an IPv4 block', checkNameConstraints({ permitted: ['10.0.0.0/8'] }), ['10.0.0.0', '10.255.255.255', 'any.name'], ['9.255.255.255', '11.0.0.0', '::1', '::ffff:a00:1']],
    ['a block that ends within an octet', checkNameConstraints({ permitted: ['10.128.0.0/9'] }), ['10.128.0.0', '10.255.0.1'], ['10.127.255.255']],
    ['one IPv4 address', checkNameConstraints({ permitted: ['10.0.0.1/32'] }), ['10.0.0.1'], ['10.0.0.2', '10.0.0.0']],
    ['every IPv4 address', checkNameConstraints({ permitted: ['0.0.0.0/0'] }), ['1.2.3.4'], ['::1', 'fd00::1']],
    ['an IPv6 block', checkNameConstraints({ permitted: ['fd00::/8'] }), ['fd00::1', 'fdff::1'], ['fe00::1', '10.0.0.1']],
    ['an IPv6 block that ends within an octet', checkNameConstraints({ permitted: ['2001:db8:8000::/33'] }), ['2001:db8:8000::1', '2001:db8:ffff::1'], ['2001:db8:7fff::1']],
    ['blocks of both families', checkNameConstraints({ permitted: ['10.0.0.0/8', 'fd00::/8'] }), ['10.1.1.1', 'fd00::1'], ['192.168.0.1', 'fe80::1']],
    ['an excluded block', checkNameConstraints({ excluded: ['10.9.0.0/16'] }), ['10.8.0.1', '::1'], ['10.9.0.1', '10.9.255.255']],
  ]
  test.each(table)('%s permits what is inside, and nothing else', (_, constraints, inside, outside) => {
    expect(inside.filter((host) => !allows(constraints, host))).toEqual([])
    expect(outside.filter((host) => allows(constraints, host))).toEqual([])
  })

  test('a Common Name that looks like a host counts for one where there is no DNS name, as in OpenSSL', () => {
    const constraints = checkNameConstraints({ permitted: ['example'] })
    const of = (commonName: string, ...names: string[]) => forbiddenName(constraints, constrainedNames(names.map((name) => ({ kind: 'dns', name })), [commonName]))
    expect(of('alice')).toBeUndefined()
    expect(of('alice smith.org')).toBeUndefined()
    expect(of('naïve.org')).toBeUndefined()
    expect(of('alice.org')).toBe('alice.org')
    expect(of('alice.example')).toBeUndefined()
    expect(of('alice.org', 'a.example')).toBeUndefined()
  })
})

test.each<[string, NameConstraints, string]>([
  ['none', {}, 'at least one'],
  ['empty lists', { permitted: [], excluded: [] }, 'at least one'],
  ['a leading dot', { permitted: ['.example'] }, 'leading dot'],
  ['a wildcard', { permitted: ['*.example'] }, 'wildcard'],
  ['an empty name', { permitted: [''] }, 'DNS name'],
  ['a final dot', { excluded: ['example.'] }, 'DNS name'],
  ['a name beyond ASCII', { excluded: ['naïve.example'] }, 'DNS name'],
  ['an address without length', { permitted: ['10.0.0.1'] }, 'append /32'],
  ['an IPv6 address without length', { permitted: ['::1'] }, 'append /128'],
  ['an address inside its block', { permitted: ['10.0.0.1/8'] }, '10.0.0.0/8'],
  ['an IPv6 address inside its block', { permitted: ['fd00::1/8'] }, 'fd00::/8'],
  ['too long a prefix', { permitted: ['10.0.0.0/33'] }, 'CIDR'],
  ['a mask', { permitted: ['10.0.0.0/255.0.0.0'] }, 'CIDR'],
  ['a length that is none', { permitted: ['10.0.0.0/08'] }, 'CIDR'],
  ['two lengths', { permitted: ['10.0.0.0/8/8'] }, 'CIDR'],
  ['a name with a length', { permitted: ['example/8'] }, 'CIDR'],
])('%s is no name constraint', async (_, nameConstraints, wanted) => {
  const { message } = await rejected('ERR_HOST_INVALID', createCa(crypto, { name: 'etcd-ca', signer, validity: tenYears, issues: ['client'], nameConstraints }))
  expect(message).toContain(wanted)
})

test('a misspelt list of name constraints is refused, and so is what is no list', async () => {
  const make = (nameConstraints: object) => createCa(crypto, { name: 'etcd-ca', signer, validity: tenYears, issues: ['client'], nameConstraints })
  await expect(make({ permit: ['example'] })).rejects.toThrow(TypeError)
  await expect(make({ permitted: 'example' })).rejects.toThrow(TypeError)
  await expect(make({ permitted: [5] })).rejects.toThrow(TypeError)
})

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/)
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.')).filter((text) => !/^[\d.]+$/.test(text))
const block = fc.tuple(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.nat(32)).map(([octets, length]) => `${[...octets].map((octet, i) => octet & (0xff00 >> Math.min(8, Math.max(0, length - 8 * i))) & 0xff).join('.')}/${length}`)

test('whatever is written is read again, and a name below a permitted one is permitted', () => {
  fc.assert(fc.property(fc.array(fc.oneof(name, block), { minLength: 1 }), fc.array(fc.oneof(name, block)), (permitted, excluded) => {
    const subtrees = checkNameConstraints({ permitted, excluded })
    expect(readNameConstraints(readDer(nameConstraintsValue(subtrees)))).toEqual(subtrees)
  }))
  fc.assert(fc.property(name, label, (suffix, below) => {
    const constraints = checkNameConstraints({ permitted: [suffix] })
    expect(allows(constraints, `${below}.${suffix}`)).toBe(true)
    expect(allows(constraints, `${below}${suffix}`)).toBe(false)
    expect(allows(checkNameConstraints({ excluded: [suffix] }), `${below}.${suffix}`)).toBe(false)
  }))
})

describe('an authority of others', () => {
  const restricted = (value: Uint8Array, critical = true) => certificateOf({ by: signer, extensions: [isCa, certSign, extension('2.5.29.30', critical, value)] })
  const open = async (value: Uint8Array, critical?: boolean) => openCa(crypto, { certificate: await restricted(value, critical), signer, issues: ['client', 'server'] })
  const subtree = (tag: number, content: Uint8Array, ...more: Uint8Array[]) => sequence(tlv(tag, content), ...more)
  const dns = subtree(0x82, utf8('example'))

  test.each([
    ['directory names', tagged(0, subtree(0xa4, sequence()))],
    ['URIs', tagged(1, subtree(0x86, utf8('example')))],
    ['mailboxes', tagged(0, dns, subtree(0x81, utf8('example')))],
    ['a mask that is no prefix', tagged(0, subtree(0x87, Uint8Array.of(10, 0, 0, 0, 255, 0, 255, 0)))],
    ['an address of another length', tagged(0, subtree(0x87, Uint8Array.of(10, 0, 0, 0)))],
    ['a name with a final dot', tagged(0, subtree(0x82, utf8('example.')))],
    ['a name with a wildcard', tagged(0, subtree(0x82, utf8('*.example')))],
  ])('is refused where it restricts %s: nobody here could hold what it issues against that', async (_, list) => {
    expect((await rejected('ERR_CERTIFICATE_INVALID', open(sequence(list)))).message).toContain('not judged here')
  })

  test.each([
    ['nothing at all', sequence()],
    ['an empty list', sequence(tagged(0))],
    ['lists in the wrong order', sequence(tagged(1, dns), tagged(0, dns))],
    ['a third list', sequence(tagged(0, dns), tagged(2, dns))],
    ['an empty subtree', sequence(tagged(0, sequence()))],
    ['a name with a minimum', sequence(tagged(0, subtree(0x82, utf8('example'), taggedPrimitive(0, Uint8Array.of(1)))))],
    ['a name with a maximum', sequence(tagged(0, subtree(0x82, utf8('example'), taggedPrimitive(1, Uint8Array.of(1)))))],
  ])('is refused where its constraints are %s', async (_, value) => {
    await rejected('ERR_CERTIFICATE_INVALID', open(value))
  })

  test('is held to its constraints, critical or not: whoever verifies a chain holds it to them', async () => {
    for (const critical of [true, false]) {
      const ca = await open(sequence(tagged(0, dns)), critical)
      const csr = await createCsr(crypto, { signer })
      const issue = (...hosts: string[]) => issueServer(ca, { policy, member: 'etcd-0', hosts, csr, validity })
      await issue('a.example')
      expect((await rejected('ERR_NAME_CONSTRAINTS', issue('a.example', 'a.other'))).detail).toEqual({ name: 'a.other', authority: 'etcd-ca' })
    }
  })
})

describe('an authority of ours', async () => {
  const csr = await createCsr(crypto, { signer })
  const rootKeys = await generateKeyPair(crypto, 'ecdsa-p256')
  const root = await createCa(crypto, { name: 'etcd-ca', signer: rootKeys.signer, validity: tenYears, issues: ['client', 'server'], pathLength: 1, nameConstraints: { permitted: ['example', '10.0.0.0/8'] } })
  const below = await createIntermediateCa(root, { name: 'etcd-servers', signer, validity: tenYears, issues: ['client', 'server'], nameConstraints: { excluded: ['test.example', '10.9.0.0/16'] } })

  test('has its constraints in the certificate, critical, and no minimum or maximum', () => {
    const value = '3019' + 'a017' + '3009' + '82076578616d706c65' + '300a' + '87080a000000ff000000'
    expect(toHex(readPem('certificate', root.certificate))).toContain(`0603551d1e0101ff041b${value}`)
  })

  test.each([
    [['a.example'], undefined, ''],
    [['10.1.1.1', 'example'], undefined, ''],
    [['a.other'], 'a.other', 'etcd-ca'],
    [['a.example', '192.168.0.1'], '192.168.0.1', 'etcd-ca'],
    [['fd00::1'], 'fd00::1', 'etcd-ca'],
    [['a.test.example'], 'a.test.example', 'etcd-servers'],
    [['10.9.1.1'], '10.9.1.1', 'etcd-servers'],
  ])('issues for %s only within its own and its parent\'s constraints', async (hosts, forbidden, authority) => {
    const issuing = issueServer(below, { policy, member: 'etcd-0', hosts, csr, validity })
    if (forbidden === undefined) await issuing
    else expect((await rejected('ERR_NAME_CONSTRAINTS', issuing)).detail).toEqual({ name: forbidden, authority })
  })

  test('may have below it one whose name looks like a host: no verifier takes the name of an authority for one', async () => {
    const dotted = await createIntermediateCa(root, { name: 'clients.corp', signer, validity: tenYears, issues: ['server'] })
    expect((await openCa(crypto, { certificate: dotted.certificate, parents: dotted.parents, signer, issues: ['server'] })).name).toBe('clients.corp')
  })

  test('is held to them after it was opened again', async () => {
    const opened = await openCa(crypto, { certificate: below.certificate, parents: below.parents, signer, issues: ['client', 'server'] })
    expect(opened).toEqual(below)
    await rejected('ERR_NAME_CONSTRAINTS', issueServer(opened, { policy, member: 'etcd-0', hosts: ['a.other'], csr, validity }))
    await rejected('ERR_NAME_CONSTRAINTS', issueServer(opened, { policy, member: 'etcd-0', hosts: ['a.test.example'], csr, validity }))
  })

  test('certifies users, whose names are no hosts, but neither labels nor gateways, whose URIs etcd would refuse there', async () => {
    await issueClient(below, { policy, user: 'alice', csr, validity })
    expect((await rejected('ERR_NAME_CONSTRAINTS', issueClient(below, { policy, user: 'alice', label: 'node-7', csr, validity }))).detail.name).toBe('urn:etcd-rbac:label:node-7')
    await rejected('ERR_NAME_CONSTRAINTS', issueGateway(below, { policy, uri: 'urn:example:gateway', csr, validity }))
  })
})

test('URIs without a host that is a DNS name are forbidden below constraints of any kind, as Go has it', () => {
  const of = (uri: string) => ['etcd.example', '10.0.0.0/8'].map((permitted) => forbiddenName(checkNameConstraints({ permitted: [permitted] }), constrainedNames([{ kind: 'uri', uri }], [])))
  for (const uri of ['urn:etcd-rbac:label:node-7', 'https:///x', 'https://10.0.0.1/', 'https://[fd00::1]/']) expect(of(uri)).toEqual([uri, uri])
  for (const uri of ['spiffe://etcd.example/x', 'https://x:443/']) expect(of(uri)).toEqual([undefined, undefined])
})
