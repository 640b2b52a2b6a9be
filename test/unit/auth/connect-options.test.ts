/** What clients other than etcd3 are told: one identity, the server always verified, nothing left to be read from elsewhere. */
import { describe, expect, test } from 'vitest'
import { etcd3Options, grpcChannels, httpsAgentOptions, undiciConnectOptions } from '../../../src/auth/index.js'

const pem = (word: string): string => `-----BEGIN ${word}-----\n-----END ${word}-----\n`
const [ca, certificate, key] = [pem('CA'), pem('CERTIFICATE'), pem('KEY')]
const hosts = 'https://10.0.0.10:2379'
const whole = { hosts, ca, certificate, key }

const each: readonly (readonly [string, (material: never) => unknown])[] = [
  ['httpsAgentOptions', httpsAgentOptions],
  ['undiciConnectOptions', undiciConnectOptions],
  ['grpcChannels', (material: object) => grpcChannels({ hosts, ...material } as never)],
]

describe.each([...each, ['etcd3Options', (material: object) => etcd3Options({ hosts, ...material } as never)] as const])('%s refuses', (_, make) => {
  test.each<[string, object, RegExp]>([
    ['no ca', { certificate, key }, /^ca must be a PEM text/],
    ['a certificate without its key', { ca, certificate }, /^key must be a PEM text/],
    ['a key without its certificate', { ca, key }, /^certificate must be a PEM text/],
    ['the path of a key', { ca, certificate, key: '/etc/key.pem' }, /^key must be a PEM text, not the path of one$/],
    ['a password beside a certificate', { ca, certificate, key, password: 'correct horse' }, /^password must be left away: a client has one identity/],
    ['a user beside a certificate', { ca, certificate, key, username: 'root' }, /^username must be left away/],
    ['a login beside a certificate', { ca, certificate, key, auth: { username: 'root', password: 'correct horse' } }, /^auth must be left away/],
  ])('%s', (__, given, message) => {
    const refuse = (): unknown => make(given as never)
    expect(refuse).toThrow(TypeError)
    expect(refuse).toThrow(message)
    expect(refuse).not.toThrow(/correct horse/)
  })
})

test('a client without a certificate is told the CA alone, and is not told a password either', () => {
  expect(httpsAgentOptions({ ca })).toEqual({ ca, rejectUnauthorized: true, minVersion: 'TLSv1.2', keepAlive: true })
  expect(undiciConnectOptions({ ca })).toEqual({ ca, rejectUnauthorized: true, minVersion: 'TLSv1.2' })
  expect(grpcChannels({ hosts, ca })[0]?.ssl).toEqual([Buffer.from(ca), null, null])
  for (const [, make] of each) expect(() => make({ ca, password: 'correct horse' } as never)).toThrow(/^password must be left away/)
})

test.each<[string, unknown, RegExp]>([
  ['nothing', undefined, /^hosts must be/],
  ['an empty list', [], /^hosts must name/],
  ['a host in the clear', 'http://10.0.0.10:2379', /must begin with https/],
  ['no port, where gRPC would take 443', 'https://10.0.0.10', /must be https:\/\/host:port$/],
  ['a port that there is not', 'https://10.0.0.10:65536', /must be https:\/\/host:port$/],
  ['a path', 'https://10.0.0.10:2379/v3', /must be https:\/\/host:port$/],
  ['whoever logs in by the URL', 'https://root:secret@10.0.0.10:2379', /must be https:\/\/host:port$/],
])('grpcChannels refuses as hosts %s', (_, given, message) => {
  expect(() => grpcChannels({ ...whole, hosts: given as never })).toThrow(message)
  expect(() => grpcChannels({ ...whole, hosts: given as never })).not.toThrow(/secret/)
})

test('a member is told to gRPC by the scheme of its host', () => {
  const targets = grpcChannels({ ...whole, hosts: [hosts, 'https://[fd00::1]:2379', 'https://etcd-0.example:2379/'] }).map(({ target }) => target)
  expect(targets).toEqual(['ipv4:10.0.0.10:2379', 'ipv6:[fd00::1]:2379', 'dns:etcd-0.example:2379'])
})
