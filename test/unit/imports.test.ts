import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asynchronous, cycles, importsOf, loadedBy, roomOf, violations, type Allowed, type Edge, type Source } from '../support/import-graph.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const sources: readonly Source[] = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path: path.replaceAll('\\', '/'), text: readFileSync(join(root, 'src', path), 'utf8') }))
const edges = sources.flatMap(importsOf)

const base = ['errors.ts', 'names.ts', 'platform.ts', 'because.ts', 'bytes.ts', 'known-fields.ts'] as const

/** Who may import whom. A room may import itself; what is not here is refused. */
const rooms: Readonly<Record<string, Allowed>> = {
  'bytes.ts': { any: [] },
  'because.ts': { any: [] },
  'known-fields.ts': { any: ['errors.ts'] },
  'errors.ts': { any: [] },
  'platform.ts': { any: [] },
  'names.ts': { any: ['errors.ts', 'bytes.ts'] },
  'globals.d.ts': { any: [] },
  'webcrypto.globals.d.ts': { any: [] },
  keys: { any: base },
  policy: { any: ['keys', 'advisories', ...base] },
  advisories: { any: base },
  presets: { any: ['policy', 'keys', 'advisories', ...base] },
  review: { any: ['presets', 'policy', 'keys', 'advisories', ...base] },
  pki: { any: ['pki', ...base], types: ['policy'] },
  // Built alone, with declarations of its own: nothing of ours, and the only place that knows these packages.
  'pki/asn1/foreign': { any: ['pkijs', 'asn1js'] },
  // Rendering reads the names, issuers and uses of certificates, and loads nothing that knows crypto.
  render: { any: ['presets', 'policy', 'keys', 'advisories', 'pki/pem.ts', 'pki/hosts.ts', 'pki/asn1/read-outline.ts', ...base], types: ['pki'] },
  auth: { any: ['policy', 'keys', 'advisories', ...base] },
  // Not policy: the double must not answer with the code that it judges. Of keys, the shapes alone.
  store: { any: ['advisories', ...base], types: ['keys'] },
  testing: { any: ['store', ...base] },
  'webcrypto.ts': { any: ['@peculiar/webcrypto', ...base] },
  'index.ts': { any: ['*'] },
}

/** What judges and never waits. */
const synchronous = ['bytes.ts', 'names.ts', 'errors.ts', 'because.ts', 'known-fields.ts', 'keys', 'policy', 'advisories', 'presets', 'review', 'render', 'store', 'auth/plan.ts', 'auth/order.ts', 'auth/difference.ts', 'auth/describe.ts', ...['blockers', 'digest', 'holdings', 'needs', 'open-v2', 'parse-plan', 'parse-state', 'plan-options', 'plan-shape', 'rehearsal', 'rights', 'rights-change', 'side-by-side', 'state', 'wanted'].map((file) => `auth/${file}.ts`)]
const isSynchronous = (path: string): boolean => synchronous.some((place) => path === place || path.startsWith(`${place}/`))
const waits = (files: readonly Source[]): readonly string[] => files.filter(({ path }) => isSynchronous(path)).flatMap((file) => asynchronous(file).map((line) => `${file.path}:${line}`))

const entries = ['index.ts', 'policy/index.ts', 'pki/index.ts', 'auth/index.ts', 'presets/index.ts', 'render/index.ts', 'testing/index.ts'] as const
const isPackage = (path: string): boolean => !path.endsWith('.ts')

describe('the rooms of src/', () => {
  test('import only what they may', () => {
    expect(violations(edges, rooms)).toEqual([])
  })

  test('are told to contributors as they are here', () => {
    const names = (cell: string): readonly string[] => [...cell.matchAll(/`([^`]+)`|\bbase\b/g)].map(([word, name]) => name ?? word).toSorted()
    const table = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8').split('\n').map((line) => line.split('|').slice(1, -1))
    const [first, ...rest] = table.filter((cells) => cells.length === 4 && cells[0]!.startsWith(' `'))
    const told = rest.flatMap(([room, , any, types]) => names(room!).map((name) => [name, [names(any!), names(types!)]]))
    // The base is told as one, a room's own files are not told, and paths are told without their ending.
    const word = (place: string): string => place.replace(/\.ts$/, '')
    const isBase = (place: string): boolean => base.some((file) => file === place)
    const kept = Object.entries(rooms).flatMap(([room, { any, types = [] }]) => {
      if (isBase(room) || room.endsWith('.d.ts') || room === 'index.ts') return []
      const others = any.filter((place) => place !== room && !isBase(place)).map(word)
      return [[word(room), [[...others, ...(base.every((file) => any.includes(file)) ? ['base'] : [])].toSorted(), types.map(word).toSorted()]]]
    })
    expect(names(first?.[0] ?? '')).toEqual(base.map(word).toSorted())
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(kept))
  })

  test('import in no circle, types included', () => {
    expect(cycles(edges)).toEqual([])
  })

  test('do not wait where they judge', () => {
    expect(waits(sources)).toEqual([])
  })

  test('import only files that are there, and each file of a room is in it', () => {
    const paths = new Set(sources.map(({ path }) => path))
    expect(edges.filter(({ to }) => !isPackage(to) && !paths.has(to))).toEqual([])
    expect(sources.filter(({ path }) => roomOf(path, rooms) === undefined)).toEqual([])
    for (const { any, types = [] } of Object.values(rooms)) for (const place of [...any, ...types]) expect(place).not.toMatch(/^\.|\\/)
  })
})

describe('importing a subpath loads', () => {
  test.each(entries)('no package for %s', (entry) => {
    expect(sources.map(({ path }) => path)).toContain(entry)
    expect([...loadedBy(entry, edges)].filter(isPackage)).toEqual([])
  })

  test.each(['policy/index.ts', 'auth/index.ts', 'presets/index.ts', 'testing/index.ts'])('nothing of pki for %s', (entry) => {
    expect([...loadedBy(entry, edges)].filter((path) => path.startsWith('pki/'))).toEqual([])
  })

  test('of pki, for rendering, nothing that knows crypto', () => {
    const known = [...loadedBy('render/index.ts', edges)].filter((path) => path.startsWith('pki/'))
    expect(known).toContain('pki/asn1/read-outline.ts')
    const text = (path: string): string => sources.find((source) => source.path === path)?.text ?? ''
    expect(known.filter((path) => /WebCryptoLike|\bsubtle\b|Promise/.test(text(path)))).toEqual([])
  })

  test('nothing of policy, auth or pki for the store that the double stands on', () => {
    expect([...loadedBy('store/index.ts', edges)].filter((path) => /^(?:policy|auth|pki)\//.test(path))).toEqual([])
  })
})

describe('a process of its own', () => {
  // Below the root, so that packages are found; compiled file by file as `tsc` does, so that no build need be there.
  let built = ''
  const loader = `data:text/javascript,${encodeURIComponent(`
    import { writeSync } from 'node:fs'
    export async function load(url, context, next) { writeSync(1, url + '\\n'); return next(url, context) }`)}`
  const loadedIn = (code: string): readonly string[] =>
    execFileSync(process.execPath, ['--input-type=module', '--eval', `import { register } from 'node:module'; register(${JSON.stringify(loader)}); ${code}`], { cwd: built, encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.startsWith('file:'))
      .map((url) => url.replace(`${pathToFileURL(built).href}/`, ''))

  beforeAll(() => {
    mkdirSync(join(root, 'build'), { recursive: true })
    built = mkdtempSync(join(root, 'build', 'imports-'))
    for (const { path, text } of sources.filter(({ path }) => !path.endsWith('.d.ts'))) {
      const target = join(built, path.replace(/\.ts$/, '.js'))
      mkdirSync(dirname(target), { recursive: true })
      writeFileSync(target, ts.transpileModule(text, { compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true } }).outputText)
    }
    writeFileSync(join(built, 'package.json'), '{ "type": "module" }')
  })
  afterAll(() => {
    rmSync(built, { recursive: true, force: true })
  })

  test.each(entries)('loads for %s exactly what the imports say', (entry) => {
    const wanted = [...loadedBy(entry, edges)].map((path) => path.replace(/\.ts$/, '.js'))
    expect([...loadedIn(`await import('./${entry.replace(/\.ts$/, '.js')}')`)].sort()).toEqual(wanted.sort())
  })

  test('sees a package when one is loaded', () => {
    const loaded = loadedIn(`await import('./webcrypto.js')`)
    expect(loaded).toContain('webcrypto.js')
    expect(loaded.some((path) => path.includes('@peculiar/webcrypto'))).toBe(true)
  })
})

describe('the rules can fail', () => {
  const found = (path: string, text: string): readonly string[] => violations(importsOf({ path, text }), rooms)

  test.each<[string, string, string]>([
    ['keys of policy', 'keys/x.ts', `import { can } from '../policy/can.js'`],
    ['bytes of anything', 'bytes.ts', `import { EtcdRbacError } from './errors.js'`],
    ['bytes of anything, as a type', 'bytes.ts', `import type { WebCryptoLike } from './platform.js'`],
    ['policy of pki', 'policy/x.ts', `import { issueClient } from '../pki/index.js'`],
    ['policy of pki, as a type', 'policy/x.ts', `import type { Signer } from '../pki/index.js'`],
    ['advisories of policy', 'advisories/x.ts', `import { can } from '../policy/index.js'`],
    ['store of policy', 'store/v3/x.ts', `import { can } from '../../policy/can.js'`],
    ['store of policy, as a type', 'store/v3/x.ts', `import type { Policy } from '../../policy/policy.js'`],
    ['store of policy, by a type in place', 'store/v3/x.ts', `let x: import('../../policy/policy.js').Policy`],
    ['store of policy, by re-export', 'store/v3/x.ts', `export { can } from '../../policy/can.js'`],
    ['store of policy, lazily', 'store/v3/x.ts', `void import('../../policy/can.js')`],
    ['store of keys at run time', 'store/v3/x.ts', `import { union } from '../../keys/interval.js'`],
    ['store of keys at run time, by an inline type', 'store/v3/x.ts', `import { type KeyRange } from '../../keys/key-range.js'`],
    ['testing of policy', 'testing/x.ts', `import { can } from '../policy/can.js'`],
    ['testing of auth', 'testing/x.ts', `import type { Clock } from '../auth/clock.js'`],
    ['presets of pki', 'presets/x.ts', `import { pem } from '../pki/pem.js'`],
    ['pki of policy at run time', 'pki/x.ts', `import { can } from '../policy/can.js'`],
    ['pki of pkijs', 'pki/asn1/x.ts', `import * as pkijs from 'pkijs'`],
    ['pki of pkijs, lazily', 'pki/asn1/x.ts', `await import('pkijs')`],
    ['pki of pkijs, as a type', 'pki/asn1/x.ts', `import type { Certificate } from 'pkijs'`],
    ['foreign of ours', 'pki/asn1/foreign/x.ts', `import { readDer } from '../der.js'`],
    ['foreign of the base', 'pki/asn1/foreign/x.ts', `import { utf8 } from '../../../bytes.js'`],
    ['render of issuing', 'render/x.ts', `import { issueClient } from '../pki/issue-client.js'`],
    ['render of DER', 'render/x.ts', `import { readDer } from '../pki/asn1/der.js'`],
    ['render of foreign', 'render/x.ts', `import { read } from '../pki/asn1/foreign/read-certificate.js'`],
    ['auth of pki', 'auth/x.ts', `import { pem } from '../pki/pem.js'`],
    ['auth of pki, as a type', 'auth/x.ts', `import type { Signer } from '../pki/signer.js'`],
    ['auth of store', 'auth/x.ts', `import { createStore } from '../store/index.js'`],
    ['anything of node', 'pki/x.ts', `import { readFileSync } from 'node:fs'`],
    ['anything of etcd3', 'auth/x.ts', `import { Etcd3 } from 'etcd3'`],
    ['anything of @peculiar/webcrypto', 'pki/x.ts', `import { Crypto } from '@peculiar/webcrypto'`],
    ['anything that is computed', 'pki/x.ts', `await import(name)`],
    ['anything by require', 'pki/x.ts', `const x = require('pkijs')`],
    ['a file of no room', 'helpers/x.ts', `import '../errors.js'`],
    ['what climbs out of src', 'keys/x.ts', `import '../../scripts/build.mjs'`],
  ])('for %s', (_, path, text) => {
    expect(found(path, text)).toHaveLength(1)
  })

  test.each<[string, string, string]>([
    ['types of policy to pki', 'pki/x.ts', `import type { Policy } from '../policy/policy.js'`],
    ['shapes of keys to store', 'store/v3/x.ts', `import type { KeyRange } from '../../keys/key-range.js'`],
    ['pkijs to foreign', 'pki/asn1/foreign/x.ts', `const x = await import('pkijs')`],
    ['foreign to pki', 'pki/x.ts', `import { read } from './asn1/foreign/read-certificate.js'`],
    ['its own files to a room', 'auth/v3/x.ts', `import { y } from '../plan.js'`],
    ['a comment or a text that looks like an import', 'bytes.ts', `// import 'pkijs'\nconst x = "import 'pkijs'"`],
  ])('but allow %s', (_, path, text) => {
    expect(found(path, text)).toEqual([])
  })

  test('for circles, also of types, also of one file', () => {
    const edge = (from: string, to: string, kind: Edge['kind'] = 'runtime'): Edge => ({ from, to, kind })
    expect(cycles([edge('a', 'b'), edge('b', 'c', 'type'), edge('c', 'a')])).toEqual(['a → b → c → a'])
    expect(cycles([edge('a', 'a')])).toEqual(['a → a'])
    expect(cycles([edge('a', 'b'), edge('a', 'c'), edge('b', 'c')])).toEqual([])
    expect(cycles([edge('x', 'a'), edge('a', 'b'), edge('b', 'a', 'lazy')])).toEqual(['a → b → a'])
  })

  test('for what is loaded: by others in turn, not by types, not lazily', () => {
    const edge = (from: string, to: string, kind: Edge['kind']): Edge => ({ from, to, kind })
    const graph = [edge('a', 'b', 'runtime'), edge('b', 'pkijs', 'runtime'), edge('a', 'c', 'type'), edge('a', 'd', 'lazy')]
    expect([...loadedBy('a', graph)]).toEqual(['a', 'b', 'pkijs'])
  })

  test.each(['async function f() {}', 'const f = async () => {}', 'await x', 'for await (const x of y) {}', 'let x: Promise<void>', 'Promise.resolve()', 'class A { async f() {} }', 'function f(): PromiseLike<void>'])('for waiting: %s', (text) => {
    for (const path of ['keys/x.ts', 'policy/x.ts', 'review/x.ts', 'render/x.ts', 'store/v3/x.ts', 'auth/plan.ts']) expect(waits([{ path, text }])).toEqual([`${path}:1`])
    expect(waits([{ path: 'pki/x.ts', text }])).toEqual([])
  })
})
