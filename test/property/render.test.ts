import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isEtcdRbacError } from '../../src/errors.js'
import { renderMember, toCommand, type MemberOptions } from '../../src/render/index.js'
import { calicoV3 } from '../../src/presets/index.js'
import { member } from '../unit/render/fixture.js'

/** Text that is nearly right, and text that is anything. */
const near = (...good: readonly string[]) =>
  fc.oneof(
    fc.constantFrom(...good),
    fc.tuple(fc.constantFrom(...good), fc.nat(40), fc.string({ unit: 'binary', maxLength: 3 })).map(([text, at, odd]) => text.slice(0, at) + odd + text.slice(at)),
    fc.tuple(fc.constantFrom(...good), fc.constantFrom('\n', '\0', ',', '=', ' ', '/..', '%', '$', '"', "'", '\\', ';', '--')).map(([text, odd]) => text + odd),
    fc.string({ unit: 'binary' }),
  )

const outcome = (options: MemberOptions): readonly string[] | undefined => {
  try {
    const { arguments: args, environment, files, directories } = renderMember(options)
    return [...toCommand(args), ...Object.values(environment), ...files.map(({ path }) => path), ...directories.map(({ path }) => path)]
  } catch (error) {
    if (isEtcdRbacError(error)) return undefined
    throw error
  }
}

describe('rendering any text', () => {
  it('is refused with a typed error, or leaves nothing that a shell, a unit file or a list would read otherwise', () => {
    let rendered = 0
    fc.assert(
      fc.property(
        near('etcd-0'), near('/var/lib/etcd', '/data'), near('/etc/etcd/tls', '/pki'), near('https://10.0.0.10:2380', 'https://[::1]:2380'), near('token'),
        (name, dataDirectory, certificatesDirectory, url, token) => {
          const values = outcome({
            ...member, name, dataDirectory, certificatesDirectory, peerUrls: { listen: [url], advertise: [url] }, cluster: { members: { [name]: [url] }, state: 'new', token },
          })
          if (values === undefined) return
          rendered++
          for (const value of values) expect(value).toMatch(/^[A-Za-z0-9._@+/:,=[\]-]+$/)
          expect(values.find((value) => value.startsWith('--initial-cluster='))).toBe(`--initial-cluster=${name}=${url}`)
        },
      ),
      { numRuns: 2000 },
    )
    expect(rendered).toBeGreaterThan(0)
  })
})

describe('presets for any release', () => {
  it('exist or are refused with a typed error', () => {
    fc.assert(
      fc.property(near('3.19', '3.30', '3.32.1', 'next'), (calico) => {
        try {
          expect(calicoV3({ calico, grants: 'source' }).node.permissions.length).toBeGreaterThan(0)
        } catch (error) {
          if (!isEtcdRbacError(error, 'ERR_PRESET_UNKNOWN')) throw error
        }
      }),
    )
  })
})
