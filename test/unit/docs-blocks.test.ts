/** The examples that people read: in README, guides and docstrings. They compile against the sources, and those that need no etcd run. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import * as auth from '../../src/auth/index.js'
import * as all from '../../src/index.js'
import * as pki from '../../src/pki/index.js'
import * as policy from '../../src/policy/index.js'
import * as presets from '../../src/presets/index.js'
import * as render from '../../src/render/index.js'
import * as testing from '../../src/testing/index.js'
import * as webcrypto from '../../src/webcrypto.js'
import { blocksOf, differencesOf, isRunnable, problemsOf, promisesOf, type Block } from '../support/docs-blocks.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string): string => readFileSync(root + path, 'utf8')
const filesIn = (folder: string, ending: string): readonly string[] =>
  readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith(ending))
    .sort()

// docs/api is made from the sources, and not there in a fresh clone.
const guides = filesIn('docs', '.md').filter((path) => !path.startsWith('docs/api/'))
const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...guides]
const blocks = [...pages, ...filesIn('src', '.ts')].flatMap((path) => blocksOf(path, read(path)))

const { name, exports } = JSON.parse(read('package.json')) as { readonly name: string; readonly exports: Readonly<Record<string, { readonly types?: string }>> }
/** The package and its subpaths: the source of each, as the package's own description leads to it. */
const sources = Object.fromEntries(
  Object.entries(exports).flatMap(([subpath, { types }]) => (types === undefined ? [] : [[name + subpath.slice(1), types.replace(/^\.\/dist\/(.*)\.d\.ts$/, 'src/$1.ts')]])),
)
const modules: Readonly<Record<string, unknown>> = {
  'etcd-rbac': all, 'etcd-rbac/policy': policy, 'etcd-rbac/pki': pki, 'etcd-rbac/auth': auth, 'etcd-rbac/presets': presets, 'etcd-rbac/render': render,
  'etcd-rbac/testing': testing, 'etcd-rbac/webcrypto': webcrypto,
}
const block = (text: string): Block => blocksOf('page.md', `\`\`\`ts\n${text}\n\`\`\``)[0]!

describe('the examples', () => {
  test('are found on every page that has code, and in the docstrings of every room', () => {
    const places = blocks.map(({ at }) => at)
    for (const place of ['README.md', 'docs/shared-etcd.md', 'src/keys/', 'src/policy/', 'src/presets/', 'src/pki/', 'src/render/', 'src/auth/', 'src/testing/'])
      expect(places.filter((at) => at.startsWith(place))).not.toEqual([])
    expect(blocks.length).toBeGreaterThan(60)
  })

  test('compile', { timeout: 60_000 }, () => {
    expect(problemsOf(blocks, root, sources)).toEqual([])
  })

  test.each(blocks.filter(isRunnable).map((one) => [one.at, one] as const))('of %s run, and print what they say', async (_, one) => {
    expect(await differencesOf(one, modules)).toEqual([])
  })

  test('that must run are among those that do', () => {
    const running = blocks.filter(isRunnable)
    for (const text of ["can(policy, 'auditor', get(prefix('/calico/')))", "memoryEtcd({ version: '3.5.30' })"])
      expect(running.some((one) => one.at.startsWith('README.md') && one.text.includes(text) && promisesOf(one) > 0)).toBe(true)
  })
})

describe('what is published', () => {
  /** Functions and classes that a caller may use, by the source that declares them. */
  const documented = filesIn('src', '.ts').map(read).join('\n')
  const callable = Object.entries({ ...all, ...testing, ...webcrypto }).filter(([, value]) => typeof value === 'function')

  test.each(callable.map(([called]) => called))('%s has an example', (called) => {
    const found = [...documented.matchAll(new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\nexport (?:async )?(?:function|class) ${called}\\b`, 'g'))]
    expect(found.some(([, docstring = '']) => docstring.includes('@example'))).toBe(true)
  })
})

describe('links', () => {
  /** The anchors of a page's headings, as GitHub makes them. */
  const anchorsOf = (page: string): readonly string[] =>
    [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'))
  /** Whether a relative link of a page leads to a file, and to a heading of it where it names one. */
  const leads = (page: string, link: string): boolean => {
    const [target = '', anchor] = link.split('#')
    const path = target === '' ? page : join(dirname(page), target)
    return existsSync(join(root, path)) && (anchor === undefined || (path.endsWith('.md') && anchorsOf(path).includes(anchor)))
  }

  test.each(pages)('of %s lead to files and headings that are there', (page) => {
    const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link).filter((link) => !/^[a-z]+:/.test(link))
    expect(links.filter((link) => !leads(page, link))).toEqual([])
  })

  test('that lead nowhere are seen', () => {
    expect(['gone.md', 'README.md#gone', '#gone', 'docs', '#more'].map((link) => leads('README.md', link))).toEqual([false, false, false, true, true])
  })

  test('to the guides stand in README', () => {
    for (const guide of guides) expect(read('README.md')).toContain(`(${guide})`)
  })
})

describe('the checks can fail', () => {
  test('for what does not compile, with file and line: in a docstring, by the name of a subpath, in a block that goes on from another', { timeout: 60_000 }, () => {
    const broken = [
      ...blocksOf('src/x.ts', "/**\n * @example\n * ```ts\n * import { prefix } from 'etcd-rbac'\n * prefix('/calico')\n * ```\n */\n"),
      block("import { can } from 'etcd-rbac/pki'"),
      ...blocksOf('guide.md', '```ts\nconst x = 1\n```\ntext\n```ts continues\nx.y\n```'),
    ]
    expect(problemsOf(broken, root, sources)).toEqual([
      expect.stringMatching(/^src\/x\.ts:5: .*has no terminator/s), expect.stringMatching(/^page\.md:2: .*no exported member 'can'/), expect.stringMatching(/^guide\.md:6: /),
    ])
  })

  test('for a value that is not printed, and for one that is never reached', async () => {
    const wrong = block("console.log(1 + 1) // 3\nif (1 > 2) console.log('never') // never\nfor (const x of [1, 2]) console.log(x) // 1")
    expect(await differencesOf(wrong, modules)).toEqual(['page.md:2: printed 2, says 3', 'page.md:3: printed nothing, says never', 'page.md:4: printed 2, says 1'])
  })

  test('for a block that throws, and for one that never ends its fence', async () => {
    await expect(differencesOf(block("import { key } from 'etcd-rbac'\nkey('')"), modules)).rejects.toThrow('an empty key')
    expect(() => blocksOf('page.md', '```ts\nlet x')).toThrow('page.md')
    expect(() => blocksOf('src/x.ts', '/**\n * ```ts\n * let x\n */\n')).toThrow('src/x.ts:4')
    expect(() => blocksOf('page.md', '```ts continues\n```')).toThrow('page.md:1')
  })

  test('and what needs an etcd is not run', () => {
    expect(['declare const x: string', "import { Etcd3 } from 'etcd3'"].map((text) => isRunnable(block(text)))).toEqual([false, false])
    expect(["import { can } from 'etcd-rbac'", "import { memoryEtcd } from 'etcd-rbac/testing'"].map((text) => isRunnable(block(text)))).toEqual([true, true])
  })
})
