import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parseConfigFileTextToJson } from 'typescript'

const root = fileURLToPath(new URL('../../', import.meta.url))
const text = (path: string): string => readFileSync(`${root}${path}`, 'utf8')

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license: string
  readonly type: string
  readonly sideEffects: boolean
  readonly engines: Readonly<Record<string, string>>
  readonly files: readonly string[]
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly scripts: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>
  readonly devDependencies: Readonly<Record<string, string>>
}
const manifest = JSON.parse(text('package.json')) as Manifest

/** The source that a built file comes from. */
const sourceOf = (built: string): string => built.replace(/^\.\/dist\//, 'src/').replace(/(?:\.d\.ts|\.js)$/, '.ts')

describe('the package', () => {
  test('says what it is, under which terms, and where it runs', () => {
    expect(manifest).toMatchObject({ name: 'etcd-rbac', type: 'module', license: 'MIT', sideEffects: false, engines: { node: '^20.19.0 || ^22.12.0 || >=24' } })
    expect(text('LICENSE')).toMatch(/^MIT License\n\nCopyright \(c\) 2026 The etcd-rbac authors\n/)
    expect(text('CHANGELOG.md')).toContain('## [Unreleased]')
  })

  test('has the subpaths of the design, and its own description', () => {
    expect(Object.keys(manifest.exports)).toEqual(['.', './policy', './pki', './auth', './presets', './render', './testing', './webcrypto', './package.json'])
    expect(manifest.exports['./package.json']).toBe('./package.json')
  })

  test.each(Object.entries(manifest.exports).filter((entry): entry is [string, Readonly<Record<string, string>>] => typeof entry[1] === 'object'))(
    '%s leads to a source that is there, types first',
    (_, conditions) => {
      expect(Object.keys(conditions)).toEqual(['types', 'default'])
      const { types, default: code } = conditions
      expect(types).toMatch(/^\.\/dist\/.*\.d\.ts$/)
      expect(code).toMatch(/^\.\/dist\/.*\.js$/)
      expect(sourceOf(types!)).toBe(sourceOf(code!))
      expect(existsSync(root + sourceOf(code!))).toBe(true)
    },
  )

  test('packs what was built and its sources, which the source maps name; nothing else', () => {
    expect(manifest.files).toEqual(['dist', 'src', '!src/**/tsconfig.json', 'CHANGELOG.md'])
  })

  test('depends on pkijs and asn1js alone; what else it works with is optional', () => {
    expect(Object.keys(manifest.dependencies)).toEqual(['asn1js', 'pkijs'])
    expect(Object.keys(manifest.peerDependencies)).toEqual(['@peculiar/webcrypto', 'etcd3'])
    for (const peer of Object.keys(manifest.peerDependencies)) {
      expect(manifest.peerDependenciesMeta[peer]).toEqual({ optional: true })
      expect(manifest.devDependencies[peer]).toBeDefined()
    }
  })

  test('pins its tools exactly, and the lock file agrees', () => {
    const lock = JSON.parse(text('package-lock.json')) as { readonly name: string; readonly version: string; readonly packages: Readonly<Record<string, Partial<Manifest> | undefined>> }
    expect([lock.name, lock.version]).toEqual([manifest.name, manifest.version])
    for (const [name, version] of Object.entries(manifest.devDependencies)) {
      expect(version).toMatch(/^\d+\.\d+\.\d+$/)
      expect(lock.packages[`node_modules/${name}`]?.version).toBe(version)
    }
    expect(lock.packages['']).toMatchObject({ dependencies: manifest.dependencies, devDependencies: manifest.devDependencies, engines: manifest.engines })
  })

  test('runs no script when it is installed', () => {
    for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) expect(manifest.scripts).not.toHaveProperty(name)
  })

  test('names in its documentation build every subpath', () => {
    const { entryPoints } = JSON.parse(text('typedoc.json')) as { readonly entryPoints: readonly string[] }
    const sources = Object.values(manifest.exports).flatMap((conditions) => (typeof conditions === 'object' ? [sourceOf(conditions['default']!)] : []))
    expect([...entryPoints].sort()).toEqual(sources.sort())
  })
})

describe('the compiler', () => {
  test('is as strict as the design says, and src/ sees neither the DOM nor Node', () => {
    const { config } = parseConfigFileTextToJson('tsconfig.base.json', text('tsconfig.base.json')) as { readonly config: { readonly compilerOptions: object } }
    expect(config.compilerOptions).toMatchObject({
      target: 'es2023', lib: ['es2023'], module: 'nodenext', types: [], strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true,
      verbatimModuleSyntax: true, isolatedModules: true, isolatedDeclarations: true, erasableSyntaxOnly: true, declaration: true, skipLibCheck: false,
    })
  })
})

test.each(['README.md', 'CONTRIBUTING.md', 'SECURITY.md', '.editorconfig', '.ci/run', 'package-lock.json'])('%s is there', (path) => {
  expect(existsSync(root + path)).toBe(true)
})
