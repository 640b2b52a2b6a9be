import { describe, expect, test } from 'vitest'
import { importCfssl, type CfsslWarning } from '../../../src/pki/index.js'
import { thrown } from '../../support/thrown.js'

/** The files of a guide for an etcd that Kubernetes and Calico share. */
const files = {
  authority: { CN: 'etcd', key: { algo: 'rsa', size: 2048 }, names: [{ O: 'etcd', OU: 'etcd Security', L: 'the internet' }], ca: { expiry: '43800h' } },
  config: {
    signing: {
      default: { usages: ['signing', 'key encipherment', 'server auth', 'client auth'], expiry: '8760h' },
      profiles: { client: { usages: ['signing', 'client auth'], expiry: '720h30m' }, server: { usages: ['signing', 'server auth'], expiry: '24h' } },
    },
  },
  requests: {
    'root.json': { CN: 'root', key: { algo: 'ecdsa', size: 256 } },
    'member.json': { CN: 'etcd-0', hosts: ['10.0.0.10', 'etcd-0.example.com', 'localhost'], key: { algo: 'rsa', size: 4096 } },
  },
}
const codes = (warnings: readonly CfsslWarning[]): readonly string[] => warnings.map(({ code, path }) => `${code} ${path}`)

test('the files of cfssl come to options of authorities, lifetimes and requests, and say what they lose', () => {
  const { warnings, ...found } = importCfssl(files)
  expect(found).toEqual({
    authority: { name: 'etcd', algorithm: 'rsa-2048', lifetimeDays: 1825, pathLength: 0 },
    profiles: {
      default: { purposes: ['server', 'peer'], lifetimeDays: 365 },
      client: { purposes: ['client'], lifetimeDays: 30 + 30 / 1440 },
      server: { purposes: ['server'], lifetimeDays: 1 },
    },
    requests: {
      'root.json': { commonName: 'root', algorithm: 'ecdsa-p256', hosts: [] },
      'member.json': { commonName: 'etcd-0', algorithm: 'rsa-4096', hosts: ['10.0.0.10', 'etcd-0.example.com', 'localhost'] },
    },
  })
  expect(codes(warnings)).toEqual(['name-parts-dropped $.authority.names', 'both-usages $.config.signing.default.usages'])
})

test('nothing comes of no files, and what a file leaves out is what cfssl takes then', () => {
  expect(importCfssl({})).toEqual({ authority: undefined, profiles: {}, requests: {}, warnings: [] })
  expect(importCfssl({ authority: { CN: 'etcd' } }).authority).toEqual({ name: 'etcd', algorithm: 'ecdsa-p256', lifetimeDays: 1825, pathLength: 0 })
  expect(importCfssl({ config: { signing: { profiles: { client: { usages: ['client auth'] } } } } }).profiles).toEqual({ client: { purposes: ['client'], lifetimeDays: 365 } })
})

test.each<[what: string, files: object, code: CfsslWarning['code'], path: string]>([
  ['an authority for a hundred years', { authority: { CN: 'etcd', ca: { expiry: '876000h' } } }, 'long-lived', '$.authority.ca.expiry'],
  ['certificates for a hundred years', { config: { signing: { default: { usages: ['client auth'], expiry: '876000h' } } } }, 'long-lived', '$.config.signing.default.expiry'],
  ['certificates for both ends', { config: { signing: { profiles: { www: { usages: ['server auth', 'client auth'], expiry: '1h' } } } } }, 'both-usages', '$.config.signing.profiles.www.usages'],
  ['certificates for nothing', { config: { signing: { profiles: { www: { usages: ['signing'], expiry: '1h' } } } } }, 'no-usage', '$.config.signing.profiles.www.usages'],
  ['certificates for anything', { config: { signing: { profiles: { www: { usages: ['client auth', 'any'], expiry: '1h' } } } } }, 'usage-dropped', '$.config.signing.profiles.www.usages'],
  ['authorities by a profile', { config: { signing: { profiles: { ca: { usages: ['client auth'], ca_constraint: { is_ca: true } } } } } }, 'authority-by-profile', '$.config.signing.profiles.ca'],
  ['keys of its own API', { config: { signing: { default: { usages: ['client auth'], auth_key: 'k' } } } }, 'field-dropped', '$.config.signing.default'],
  ['two requests for one user', { requests: { a: { CN: 'calico' }, b: { CN: 'calico' } } }, 'shared-common-name', '$.requests'],
  ['a request for nobody', { requests: { a: { hosts: [] } } }, 'no-common-name', '$.requests["a"].CN'],
  ['a host that is none', { requests: { a: { CN: 'a', hosts: ['10.0.0.1', '*.example.com'] } } }, 'host-invalid', '$.requests["a"].hosts[1]'],
  ['a weak key', { requests: { a: { CN: 'a', key: { algo: 'rsa', size: 1024 } } } }, 'key-refused', '$.requests["a"].key'],
  ['an authority that is called like a path', { authority: { CN: 'a/../root' } }, 'name-invalid', '$.authority.CN'],
])('%s are warned of', (_, given, code, path) => {
  expect(codes(importCfssl(given).warnings)).toEqual([`${code} ${path}`])
})

test.each([
  [{ algo: 'ecdsa', size: 521 }, 'ecdsa-p521'],
  [{ algo: 'ed25519', size: 0 }, 'ed25519'],
  [{ algo: 'rsa', size: 3072 }, 'rsa-3072'],
  [null, 'ecdsa-p256'],
])('a key of %o stays what it is', (key, algorithm) => {
  expect(importCfssl({ requests: { a: { CN: 'a', key } } })).toMatchObject({ requests: { a: { algorithm } }, warnings: [] })
})

test('null is nothing, durations have any unit of Go, and paths go no deeper than here', () => {
  expect(importCfssl({ requests: { a: { CN: 'a', hosts: null, names: null } }, config: { signing: { default: { usages: ['client auth'], expiry: null }, profiles: null } } })).toMatchObject({
    requests: { a: { hosts: [] } },
    profiles: { default: { lifetimeDays: 365 } },
  })
  expect(importCfssl({ config: { signing: { default: { usages: ['client auth'], expiry: '1h30m1s500ms' } } } }).profiles['default']?.lifetimeDays).toBeCloseTo(5401.5 / 86_400)
  expect(importCfssl({ authority: { CN: 'etcd', ca: { pathlen: 20 } } })).toMatchObject({ authority: { pathLength: 8 }, warnings: [{ code: 'field-dropped' }] })
  for (const ca of [{ pathlen: 1.5 }, { pathlen: -1 }, { expiry: `${'9'.repeat(400)}h` }]) thrown('ERR_CFSSL_INVALID', () => importCfssl({ authority: { CN: 'etcd', ca } }))
  const { requests, profiles } = importCfssl({ requests: JSON.parse('{ "__proto__": { "CN": "a" } }') as Record<string, unknown> })
  expect([Object.keys(requests), Object.getPrototypeOf(requests), Object.getPrototypeOf(profiles)]).toEqual([['__proto__'], null, null])
})

describe('what is no file of cfssl', () => {
  test('is refused with everything that is wrong, and its place', () => {
    const error = thrown('ERR_CFSSL_INVALID', () =>
      importCfssl({ authority: [], config: { signing: { default: { usages: 'client auth', expiry: 'ten years' } } }, requests: { a: null, b: { CN: 7, hosts: [1] } } }),
    )
    expect(error.detail.problems.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['$.authority', '$.config.signing.default.usages', '$.config.signing.default.expiry', '$.requests["a"]', '$.requests["b"].CN', '$.requests["b"].hosts']),
    )
  })

  test('is a TypeError where a file is misspelt', () => {
    expect(() => importCfssl({ conifg: {} } as never)).toThrow(TypeError)
  })

  test('is never shown: the configuration holds the keys of its API', () => {
    const error = thrown('ERR_CFSSL_INVALID', () => importCfssl({ config: { auth_keys: { k: { key: 'c0ffee' } }, signing: 'c0ffee' } }))
    expect(JSON.stringify(error.detail) + error.message).not.toContain('c0ffee')
  })
})
