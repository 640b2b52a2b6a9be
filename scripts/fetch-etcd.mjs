// @ts-check
/**
 * Brings the etcd servers that tests and demo run against into `.cache/etcd/<lane>/etcd`.
 *
 *     node scripts/fetch-etcd.mjs [lane ...]
 *
 * Debian's packages come from the mirror that this system's apt already uses, whatever its release: `test/lanes.json` pins the path
 * below a mirror and the SHA-256, so neither package index nor keyring is needed, and apt's own state is not touched. Nothing is
 * installed. The other lanes are built from Go modules, whose `go.sum` is the hash check.
 *
 *     ETCD_RBAC_ETCD_3_4_23=/path/to/etcd   gives the binary of lane 3.4.23 by hand; its version is checked, its hash cannot be
 *     ETCD_RBAC_DEBIAN_MIRROR=<URI>         a mirror to ask before apt's, where apt has none of Debian's or a release has left it
 *     ETCD_RBAC_CACHE=/path                 instead of .cache/etcd
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync, realpathSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** @typedef {import('./fetch-etcd.d.mts')} Api */
/** @typedef {import('./fetch-etcd.d.mts').Lane} Lane */
/** @typedef {import('./fetch-etcd.d.mts').Environment} Environment */

const root = fileURLToPath(new URL('..', import.meta.url))
const execute = promisify(execFile)

/** @type {Api['lanes']} */
export function lanes() {
  return JSON.parse(readFileSync(join(root, 'test/lanes.json'), 'utf8'))
}

/** @type {Api['laneVariable']} */
export function laneVariable(name) {
  return `ETCD_RBAC_ETCD_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`
}

/** @type {Api['cacheDirectory']} */
export function cacheDirectory(environment = process.env) {
  return resolve(environment['ETCD_RBAC_CACHE'] || join(root, '.cache/etcd'))
}

/** @type {Api['printedVersion']} */
export function printedVersion(output) {
  return /^etcd Version: (\S+)$/m.exec(output)?.[1]
}

/** @type {Api['printedMirrors']} */
export function printedMirrors(output) {
  return [...new Set(output.split('\n').map((line) => line.trim().replace(/\/+$/, '')))].filter((line) => line !== '')
}

/** @type {Api['listedMirrors']} */
export function listedMirrors(list) {
  return printedMirrors(list.replaceAll(/#.*$/gm, '').replaceAll(/^(\S+)\s.*$/gm, '$1'))
}

/** @type {Api['sha256']} */
export async function sha256(path) {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(path), hash)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
  return hash.digest('hex')
}

/** @type {Api['isCi']} */
export function isCi(environment = process.env) {
  return !['', '0', 'false'].includes((environment['CI'] ?? '').toLowerCase())
}

/** @type {Api['findLane']} */
export async function findLane(name, environment = process.env) {
  const lane = laneNamed(name)
  const variable = laneVariable(name)
  const given = environment[variable]
  if (given) {
    const binary = resolve(given)
    await checkVersion(lane, binary, `${variable}=${given}`)
    return { ...lane, binary, from: 'hand' }
  }
  const directory = join(cacheDirectory(environment), name)
  const binary = join(directory, 'etcd')
  const expected = await pinnedHash(lane, directory)
  if (expected === undefined || (await sha256(binary)) !== expected) return undefined
  return { ...lane, binary, from: 'cache' }
}

/** @type {Api['availableLanes']} */
export async function availableLanes(environment = process.env) {
  const found = await Promise.all(lanes().map((lane) => findLane(lane.name, environment)))
  return found.filter((lane) => lane !== undefined)
}

/** @type {Api['missingLanes']} */
export async function missingLanes(environment = process.env) {
  const present = new Set((await availableLanes(environment)).map(({ name }) => name))
  const withGo = await hasGo()
  return lanes().filter((lane) => !present.has(lane.name) && isRequired(lane, withGo))
}

/** @type {Api['fetchLanes']} */
export async function fetchLanes(names = lanes().map(({ name }) => name), { environment = process.env, print = console.log } = {}) {
  const withGo = await hasGo()
  const missing = []
  // One after the other: a Go build takes the whole machine.
  for (const lane of names.map(laneNamed)) {
    try {
      print(`lane ${lane.name}: ready (${await provide(lane, environment)})`)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      const weight = isRequired(lane, withGo) ? 'required' : 'optional'
      print(`lane ${lane.name}: missing (${weight}): ${reason}; to give one by hand: export ${laneVariable(lane.name)}=/path/to/etcd`)
      if (isRequired(lane, withGo)) missing.push(lane.name)
    }
  }
  return missing
}

/**
 * @param {Lane} lane
 * @param {Environment} environment
 * @returns {Promise<string>} how the lane came to be ready
 */
async function provide(lane, environment) {
  const found = await findLane(lane.name, environment)
  if (found !== undefined) return found.from === 'hand' ? `by hand, ${found.binary}` : 'cached'

  const cache = cacheDirectory(environment)
  await mkdir(join(cache, lane.name), { recursive: true })
  // In the cache, so that what is finished gets there by a rename: two runs at once, or one cut short, leave no half a binary.
  const work = await mkdtemp(join(cache, '.work-'))
  try {
    const binary = lane.source.kind === 'debian' ? await download(lane, work, environment) : await build(lane, work)
    await checkVersion(lane, binary, basename(binary))
    if (lane.source.kind === 'go') {
      await writeFile(join(work, 'stamp'), stampOf(await inputsHash(lane), await sha256(binary)))
      await rename(join(work, 'stamp'), join(cache, lane.name, 'stamp'))
    }
    await rename(binary, join(cache, lane.name, 'etcd'))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return lane.source.kind === 'debian' ? 'downloaded' : 'built'
}

/**
 * @param {Lane} lane
 * @param {string} work
 * @param {Environment} environment
 */
async function download(lane, work, environment) {
  const { suite, pinned } = debianBuild(lane)
  const package_ = join(work, 'package.deb')
  const given = environment['ETCD_RBAC_DEBIAN_MIRROR']
  const mirrors = [...(given ? printedMirrors(given) : []), ...(await aptMirrors())]
  await downloadPinned({ mirrors, path: pinned.path, sha256: pinned.packageSha256, suite }, package_, async (uri, path) => {
    // apt's own downloader, so that the system's proxy and transport settings hold; unsandboxed, as its own user may not write here.
    await run('/usr/lib/apt/apt-helper', ['-o', 'APT::Sandbox::User=root', '-o', 'Acquire::Retries=2', 'download-file', uri, path])
  })
  await run('dpkg-deb', ['-x', package_, join(work, 'unpacked')])
  const binary = join(work, 'unpacked/usr/bin/etcd')
  const wrong = await hashMismatch(binary, pinned.binarySha256, 'etcd')
  if (wrong !== undefined) throw new Error(`hash mismatch: ${wrong}`)
  return binary
}

/** @type {Api['downloadPinned']} */
export async function downloadPinned({ mirrors, path, sha256: expected, suite }, target, download) {
  const refusals = []
  const mismatches = []
  for (const mirror of mirrors) {
    try {
      await download(`${mirror}/${path}`, target)
    } catch (error) {
      refusals.push(`${mirror}: ${error instanceof Error ? error.message : error}`)
      continue
    }
    const wrong = await hashMismatch(target, expected, basename(path))
    if (wrong === undefined) return
    mismatches.push(`${mirror}: ${wrong}`)
    await rm(target, { force: true })
  }
  if (mismatches.length > 0) throw new Error(`hash mismatch: ${mismatches.join('; ')}`)
  throw new Error(`no mirror of this system's apt has ${basename(path)} of Debian ${suite} (${refusals.join('; ') || 'apt names no mirror'})`)
}

/** apt reads its sources itself, in each form that it knows. */
async function aptMirrors() {
  const printed = await run('apt-get', ['indextargets', '--no-release-info', '--format', '$(REPO_URI)', 'Created-By: Packages'])
  const mirrors = await Promise.all(
    // apt's downloader takes a mirror list for indexes only, so its entries are asked one by one.
    printedMirrors(printed).map(async (mirror) =>
      mirror.startsWith('mirror+file:') ? listedMirrors(await readFile(mirror.replace(/^mirror\+file:(\/\/)?/, ''), 'utf8')) : [mirror],
    ),
  )
  return mirrors.flat()
}

/**
 * @param {Lane} lane
 * @param {string} work
 */
async function build(lane, work) {
  const binary = join(work, 'etcd')
  await run('go', ['build', '-p', '2', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', binary, '.'], {
    cwd: goDirectory(lane),
    // GOTOOLCHAIN=auto is the local toolchain unless the module needs a newer one. Without cgo the binary runs on any libc.
    env: { ...process.env, GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'auto', GOWORK: 'off', CGO_ENABLED: '0' },
  })
  return binary
}

/**
 * What the binary of a lane in the cache must hash to, if that is known.
 *
 * @param {Lane} lane
 * @param {string} directory
 */
async function pinnedHash(lane, directory) {
  if (lane.source.kind === 'debian') return lane.source.architectures[debianArchitecture()]?.binarySha256
  try {
    const [inputs, binary] = (await readFile(join(directory, 'stamp'), 'utf8')).trim().split(' ')
    return inputs === (await inputsHash(lane)) ? binary : undefined
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** A build's hash depends on the toolchain, so it is noted beside what it was built from. */
const stampOf = (/** @type {string} */ inputs, /** @type {string | undefined} */ binary) => `${inputs} ${binary}\n`

/** @param {Lane} lane */
async function inputsHash(lane) {
  const hash = createHash('sha256')
  for (const file of ['go.mod', 'go.sum', 'main.go']) hash.update(await readFile(join(goDirectory(lane), file)))
  return hash.digest('hex')
}

/** @param {Lane} lane */
function goDirectory({ name, source }) {
  if (source.kind !== 'go') throw new Error(`lane ${name} is not built from Go modules`)
  return join(root, source.directory)
}

/** @param {Lane} lane */
function debianBuild({ name, source }) {
  if (source.kind !== 'debian') throw new Error(`lane ${name} is no Debian package`)
  const pinned = source.architectures[debianArchitecture()]
  if (process.platform !== 'linux' || pinned === undefined) throw new Error(`no package is pinned for ${process.platform} ${process.arch}`)
  return { suite: source.suite, pinned }
}

const debianArchitecture = () => (process.arch === 'x64' ? 'amd64' : process.arch)

/**
 * @param {string} path
 * @param {string} expected
 * @param {string} name
 */
async function hashMismatch(path, expected, name) {
  const found = await sha256(path)
  return found === expected ? undefined : `SHA-256 of ${name} is ${found}, pinned is ${expected}`
}

/**
 * @param {Lane} lane
 * @param {string} binary
 * @param {string} shown
 */
async function checkVersion({ name, version }, binary, shown) {
  // Older releases refuse to run at all on arm64 unless told that it is known to be untested.
  const env = process.arch === 'arm64' ? { ...process.env, ETCD_UNSUPPORTED_ARCH: 'arm64' } : process.env
  let printed
  try {
    printed = printedVersion(await run(binary, ['--version'], { env }))
  } catch (error) {
    throw new Error(`${shown} does not run here: ${error instanceof Error ? error.message : error}`, { cause: error })
  }
  if (printed !== version) throw new Error(`${shown} is etcd ${printed ?? 'of no version'}, lane ${name} wants ${version}`)
}

/** @param {string} name */
function laneNamed(name) {
  const lane = lanes().find((each) => each.name === name)
  if (lane === undefined) throw new Error(`no lane is named ${name}; there are ${lanes().map((each) => each.name).join(', ')}`)
  return lane
}

const isRequired = (/** @type {Lane} */ { required }, /** @type {boolean} */ withGo) => required === true || (required === 'with-go' && withGo)

const hasGo = () => run('go', ['version']).then(() => true, () => false)

const codeOf = (/** @type {unknown} */ error) => (error instanceof Error && 'code' in error ? error.code : undefined)

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').ExecFileOptions} [options]
 * @returns {Promise<string>} stdout
 */
async function run(command, args, options = {}) {
  try {
    return (await execute(command, args, { ...options, encoding: 'utf8', maxBuffer: 2 ** 26 })).stdout
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new Error(`there is no ${command} here`, { cause: error })
    const { stderr = '', message = '' } = /** @type {{ stderr?: string, message?: string }} */ (error)
    throw new Error((stderr.trim() || message).split('\n').slice(0, 3).join(' '), { cause: error })
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    const missing = await fetchLanes(process.argv.length > 2 ? process.argv.slice(2) : undefined)
    if (missing.length > 0 && isCi()) process.exitCode = 1
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
