import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  availableLanes,
  cacheDirectory,
  downloadPinned,
  fetchLanes,
  findLane,
  isCi,
  lanes,
  laneVariable,
  listedMirrors,
  missingLanes,
  printedMirrors,
  printedVersion,
  sha256,
} from '../../../scripts/fetch-etcd.mjs'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fetch-etcd-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** Something that answers `--version` as an etcd of this version would. */
async function fakeEtcd(version: string): Promise<string> {
  const path = join(directory, `etcd-${version}`)
  await writeFile(path, `#!/bin/sh\necho "etcd Version: ${version}"\necho "Git SHA: none"\n`, { mode: 0o755 })
  return path
}

async function cached(lane: string, contents: string): Promise<void> {
  await mkdir(join(directory, lane), { recursive: true })
  await writeFile(join(directory, lane, 'etcd'), contents)
}

describe('the lanes', () => {
  test('have names of their own, and so do the variables that give them by hand', () => {
    expect(new Set(lanes().map(({ name }) => name)).size).toBe(lanes().length)
    expect(new Set(lanes().map(({ name }) => laneVariable(name))).size).toBe(lanes().length)
  })

  test('that must be there everywhere cover 3.3, 3.4 and 3.5 and need no toolchain', () => {
    const always = lanes().filter(({ required }) => required === true)
    expect(always.map(({ version }) => version.split('.').slice(0, 2).join('.'))).toEqual(['3.3', '3.4', '3.5'])
    expect(always.map(({ source }) => source.kind)).toEqual(['debian', 'debian', 'debian'])
  })

  test.each(lanes())('$name is pinned by hash, and its pin is of the version that it says', async ({ version, source }) => {
    if (source.kind === 'go') {
      const module = await readFile(new URL(`../../../${source.directory}/go.mod`, import.meta.url), 'utf8')
      const sums = await readFile(new URL(`../../../${source.directory}/go.sum`, import.meta.url), 'utf8')
      expect(module).toContain(`require go.etcd.io/etcd/server/v3 v${version}\n`)
      expect(sums).toContain(`go.etcd.io/etcd/server/v3 v${version} h1:`)
      return
    }
    expect(Object.keys(source.architectures)).toContain('amd64')
    for (const [architecture, { path, packageSha256, binarySha256 }] of Object.entries(source.architectures)) {
      expect(path).toMatch(new RegExp(`^pool/.*_${version.replaceAll('.', '\\.')}[+-][^_]*_${architecture}\\.deb$`))
      expect([packageSha256, binarySha256]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), expect.stringMatching(/^[0-9a-f]{64}$/)])
    }
  })
})

test.each([
  ['3.4.23', 'ETCD_RBAC_ETCD_3_4_23'],
  ['main-2026.x', 'ETCD_RBAC_ETCD_MAIN_2026_X'],
])('lane %s is given by hand as %s', (name, variable) => {
  expect(laneVariable(name)).toBe(variable)
})

test.each([
  ['etcd Version: 3.3.25\nGit SHA: Not provided\nGo Version: go1.15.9\n', '3.3.25'],
  ['{"level":"warn"}\netcd Version: 3.8.0-alpha.0\n', '3.8.0-alpha.0'],
  ['etcdctl version: 3.5.30\nAPI version: 3.5\n', undefined],
  ['', undefined],
])('the version printed in %j is %s', (output, version) => {
  expect(printedVersion(output)).toBe(version)
})

test('the mirrors that apt prints are taken once each, in apt’s order', () => {
  expect(printedMirrors('http://b.example/debian/\nhttp://a.example/debian/\nhttp://b.example/debian\n\n')).toEqual([
    'http://b.example/debian',
    'http://a.example/debian',
  ])
})

test('of a mirror list the URIs are taken, without their priorities and without comments', () => {
  expect(listedMirrors('# ours\nhttp://a.example/debian/\tpriority:1\n\nhttp://b.example/debian type:deb # slow\n')).toEqual([
    'http://a.example/debian',
    'http://b.example/debian',
  ])
})

test('the cache is in the repository unless ETCD_RBAC_CACHE moves it', () => {
  expect(cacheDirectory({})).toMatch(/\/\.cache\/etcd$/)
  expect(cacheDirectory({ ETCD_RBAC_CACHE: directory })).toBe(directory)
})

test('the SHA-256 of a file is that of its bytes, and a file that is absent has none', async () => {
  await writeFile(join(directory, 'file'), 'abc')
  expect(await sha256(join(directory, 'file'))).toBe(createHash('sha256').update('abc').digest('hex'))
  expect(await sha256(join(directory, 'nothing'))).toBeUndefined()
})

describe('a binary in the cache', () => {
  test.each(lanes())('is refused for lane $name if its hash is not the pinned one', async ({ name }) => {
    await cached(name, await readFile(await fakeEtcd(name), 'utf8'))
    expect(await findLane(name, { ETCD_RBAC_CACHE: directory })).toBeUndefined()
  })

  test('is refused if it was built from another go.sum than today’s', async () => {
    const name = lanes().find(({ source }) => source.kind === 'go')?.name ?? ''
    await cached(name, 'binary')
    await writeFile(join(directory, name, 'stamp'), `${'0'.repeat(64)} ${await sha256(join(directory, name, 'etcd'))}\n`)
    expect(await findLane(name, { ETCD_RBAC_CACHE: directory })).toBeUndefined()
  })

  test('that is absent leaves its lane out, and a required lane is reported missing', async () => {
    const environment = { ETCD_RBAC_CACHE: directory }
    expect(await availableLanes(environment)).toEqual([])
    expect((await missingLanes(environment)).map(({ name }) => name)).toEqual(expect.arrayContaining(['3.3.25', '3.4.23', '3.5.16']))
  })
})

describe('a binary given by hand', () => {
  test('is taken if it is of the lane’s version', async () => {
    const binary = await fakeEtcd('3.4.23')
    const environment = { ETCD_RBAC_CACHE: directory, ETCD_RBAC_ETCD_3_4_23: binary }
    expect(await findLane('3.4.23', environment)).toMatchObject({ name: '3.4.23', binary, from: 'hand' })
    expect((await availableLanes(environment)).map(({ name }) => name)).toEqual(['3.4.23'])
  })

  test('is refused if it is of another version, by both versions', async () => {
    const environment = { ETCD_RBAC_CACHE: directory, ETCD_RBAC_ETCD_3_4_23: await fakeEtcd('3.4.22') }
    await expect(findLane('3.4.23', environment)).rejects.toThrow(/ETCD_RBAC_ETCD_3_4_23=\S+ is etcd 3\.4\.22, lane 3\.4\.23 wants 3\.4\.23/)
  })

  test('is refused if it does not run', async () => {
    const environment = { ETCD_RBAC_CACHE: directory, ETCD_RBAC_ETCD_3_4_23: join(directory, 'nothing') }
    await expect(findLane('3.4.23', environment)).rejects.toThrow(/does not run here/)
  })

  test('makes the lane ready without a download', async () => {
    const lines: string[] = []
    const environment = { ETCD_RBAC_CACHE: directory, ETCD_RBAC_ETCD_3_4_23: await fakeEtcd('3.4.23') }
    expect(await fetchLanes(['3.4.23'], { environment, print: (line) => lines.push(line) })).toEqual([])
    expect(lines).toEqual([expect.stringMatching(/^lane 3\.4\.23: ready \(by hand, /)])
  })

  test('that is refused is not replaced by a download; the line says how to give another', async () => {
    const lines: string[] = []
    const environment = { ETCD_RBAC_CACHE: directory, ETCD_RBAC_ETCD_3_4_23: await fakeEtcd('3.3.25') }
    expect(await fetchLanes(['3.4.23'], { environment, print: (line) => lines.push(line) })).toEqual(['3.4.23'])
    expect(lines).toEqual([expect.stringMatching(/^lane 3\.4\.23: missing \(required\): .* export ETCD_RBAC_ETCD_3_4_23=\/path\/to\/etcd$/)])
  })
})

test('a lane that does not exist is an error that names those that do', async () => {
  await expect(findLane('2.3.8')).rejects.toThrow(/no lane is named 2\.3\.8; there are 3\.3\.25, /)
})

describe('a package', () => {
  const right = 'the package'
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
  const from = (answers: Readonly<Record<string, string | Error>>) => {
    const asked: string[] = []
    const target = join(directory, 'package.deb')
    const download = async (uri: string, path: string): Promise<void> => {
      asked.push(uri)
      const answer = Object.entries(answers).find(([mirror]) => uri.startsWith(`${mirror}/`))?.[1]
      if (typeof answer !== 'string') throw answer ?? new Error('not found')
      await writeFile(path, answer)
    }
    return { asked, target, done: downloadPinned({ mirrors: Object.keys(answers), path: 'pool/etcd_1_amd64.deb', sha256: hash(right), suite: 'bookworm' }, target, download) }
  }

  test('is taken from the first mirror that has it as pinned', async () => {
    const { asked, target, done } = from({ 'http://none.example': new Error('404'), 'http://other.example': 'another package', 'http://good.example': right, 'http://unasked.example': right })
    await done
    expect(await readFile(target, 'utf8')).toBe(right)
    expect(asked).toEqual(['none', 'other', 'good'].map((name) => `http://${name}.example/pool/etcd_1_amd64.deb`))
  })

  test('of another hash is told from one that no mirror has', async () => {
    const { target, done } = from({ 'http://none.example': new Error('404'), 'http://other.example': 'another package' })
    await expect(done).rejects.toThrow(`hash mismatch: http://other.example: SHA-256 of etcd_1_amd64.deb is ${hash('another package')}, pinned is ${hash(right)}`)
    await expect(done).rejects.not.toThrow(/no mirror/)
    expect(await sha256(target)).toBeUndefined()
  })

  test('that no mirror has is said to be there no more, with what each mirror answered', async () => {
    await expect(from({ 'http://none.example': new Error('404 Not Found') }).done).rejects.toThrow("no mirror of this system's apt has etcd_1_amd64.deb of Debian bookworm (http://none.example: 404 Not Found)")
    await expect(from({}).done).rejects.toThrow('(apt names no mirror)')
  })
})

describe('CI', () => {
  test.each([[undefined, false], ['', false], ['0', false], ['false', false], ['False', false], ['true', true], ['1', true], ['yes', true], ['on', true]])('is on with CI=%j: %s', (value, expected) => {
    expect(isCi({ CI: value })).toBe(expected)
  })

  test.each([['1', 1], ['true', 1], ['0', 0], ['', 0]])('with CI=%j and a required lane missing, fetching ends with status %i', async (value, status) => {
    const env = { ...process.env, CI: value, ETCD_RBAC_CACHE: directory, ETCD_RBAC_ETCD_3_4_23: join(directory, 'nothing') }
    const script = fileURLToPath(new URL('../../../scripts/fetch-etcd.mjs', import.meta.url))
    const ended = await new Promise((settle) => execFile(process.execPath, [script, '3.4.23'], { env }, (error) => settle(error === null ? 0 : error.code)))
    expect(ended).toBe(status)
  })
})
