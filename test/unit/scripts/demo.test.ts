/** Which etcd the demo runs on, and what it says where it cannot run. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { chooseEtcd } from '../../../examples/support/choose-etcd.js'
import { cacheOfProject } from '../../../examples/support/etcd.js'
import { KNOWN_MINORS } from '../../../src/advisories/version.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'demo-'))
  vi.stubEnv('PATH', join(directory, 'nothing'))
  vi.stubEnv('ETCD_RBAC_CACHE', join(directory, 'nothing'))
  vi.stubEnv('ETCD_RBAC_ETCD', '')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(directory, { recursive: true, force: true })
})

/** Something that answers `--version` as an etcd of this version would. */
async function fakeEtcd(version: string, folder = directory): Promise<string> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, 'etcd')
  await writeFile(path, `#!/bin/sh\necho "etcd Version: ${version}"\n`, { mode: 0o755 })
  return path
}

describe('the cache of servers', () => {
  const project = (name: string) => JSON.stringify({ name })

  test('is that of the project which the file is in, wherever it was compiled to', async () => {
    await writeFile(join(directory, 'package.json'), project('etcd-rbac'))
    expect(cacheOfProject(join(directory, 'build/examples/support'))).toBe(join(directory, '.cache/etcd'))
  })

  test.each([['another project', '{"name":"another"}'], ['a file that is no project', '[]'], ['a file that is no JSON', '{']])('is none in %s, whose cache may hold anything', async (_, text) => {
    await mkdir(join(directory, '.cache/etcd/3.5.30'), { recursive: true })
    await writeFile(join(directory, 'package.json'), project('etcd-rbac'))
    await mkdir(join(directory, 'inner'))
    await writeFile(join(directory, 'inner/package.json'), text)
    expect(cacheOfProject(join(directory, 'inner/examples/support'))).toBeUndefined()
  })

  test('is none where no folder above is a project', async () => {
    await fakeEtcd('3.5.30', join(directory, '.cache/etcd/3.5.30'))
    expect(cacheOfProject(join(directory, 'build/examples/support'))).toBeUndefined()
  })
})

describe('the demo', () => {
  test('runs on the double where there is no etcd, and says so', async () => {
    expect(await chooseEtcd({ real: false })).toEqual({ says: 'No etcd found: everything runs on the in-memory double.', etcd: undefined })
  })

  test('does not run with --real where there is none, and does not say that it does', async () => {
    const { says, ...rest } = await chooseEtcd({ real: true })
    expect(rest).toEqual({ refused: true })
    expect(says).toMatch(/^No etcd found, and --real wants one; .*ETCD_RBAC_ETCD.*npm run fetch-etcd/)
    expect(says).not.toContain('double')
  })

  test.each([true, false])('runs on the etcd that the PATH has (real: %s)', async (real) => {
    vi.stubEnv('PATH', `${directory}:/bin:/usr/bin`)
    const binary = await fakeEtcd('3.5.30')
    expect(await chooseEtcd({ real })).toEqual({ says: 'A real etcd 3.5.30, found in PATH.', etcd: { binary, version: '3.5.30', from: 'PATH' } })
  })

  test.each([true, false])('refuses in one line what ETCD_RBAC_ETCD names and is no etcd (real: %s)', async (real) => {
    vi.stubEnv('ETCD_RBAC_ETCD', join(directory, 'nothing'))
    const chosen = await chooseEtcd({ real })
    expect(chosen).toMatchObject({ refused: true })
    expect(chosen.says).toMatch(/^ETCD_RBAC_ETCD=\S+\/nothing is no etcd that runs here; wanted .*; correct it/)
    expect(chosen.says).not.toContain('\n')
  })

  test.each(['3.2.32', '2.3.8', '3.8.0', '3.8.0-alpha.0', '4.0.0', '3.30.1'])('refuses in one line etcd %s, of which nothing is known', async (version) => {
    vi.stubEnv('PATH', '/bin:/usr/bin')
    vi.stubEnv('ETCD_RBAC_ETCD', await fakeEtcd(version))
    const chosen = await chooseEtcd({ real: false })
    expect(chosen).toMatchObject({ refused: true })
    expect(chosen.says).toMatch(new RegExp(`^etcd ${version.replaceAll('.', '\\.')}, found in ETCD_RBAC_ETCD \\(\\S+/etcd\\); wanted 3\\.3 to 3\\.7; .*ETCD_RBAC_ETCD.*npm run fetch-etcd`))
    expect(chosen.says).not.toContain('\n')
  })

  test('knows the same releases as the library', async () => {
    vi.stubEnv('PATH', '/bin:/usr/bin')
    const accepted: number[] = []
    for (const minor of Array.from({ length: 12 }, (_, index) => index)) {
      vi.stubEnv('ETCD_RBAC_ETCD', await fakeEtcd(`3.${String(minor)}.1`))
      if (!('refused' in (await chooseEtcd({ real: true })))) accepted.push(minor)
    }
    expect(accepted).toEqual(KNOWN_MINORS)
  })
})
