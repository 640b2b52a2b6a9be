/**
 * The examples of the documentation: found in Markdown and in docstrings, type-checked together as one program against `src/`, and run.
 *
 * A fence "```ts" opens a block; "```ts continues" goes on with the first block of the page, so that a guide is one program, whatever stands
 * alone in between. A line `console.log(…) // text` says what is printed.
 */
import { format } from 'node:util'
import ts from 'typescript'

/** One example: a program, and where each of its lines stands. */
export interface Block {
  /** The file and the line of its first line: `README.md:41`. */
  readonly at: string
  readonly text: string
  /** Where a line of `text` stands, by its index. */
  readonly places: readonly string[]
}

/** The blocks of a file. Docstrings are read as Markdown behind their ` * `. */
export function blocksOf(path: string, text: string): readonly Block[] {
  const isCode = path.endsWith('.ts')
  const blocks: { at: string; lines: string[]; places: string[] }[] = []
  let open: { readonly lines: string[]; readonly places: string[] } | undefined
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = isCode ? /^\s*\* ?(.*)$/.exec(raw)?.[1] : raw
    // A docstring that ends leaves nothing open.
    if (line === undefined || (isCode && line.startsWith('/'))) {
      if (open !== undefined) throw new Error(`${path}:${index + 1}: a block without end`)
      continue
    }
    const place = `${path}:${index + 1}`
    if (open !== undefined) {
      if (line.trim() === '```') open = undefined
      else {
        open.lines.push(line)
        open.places.push(place)
      }
    } else if (/^```ts\b/.test(line)) {
      const [first] = blocks
      if (line.trim() === '```ts continues' && first !== undefined) open = first
      else if (line.trim() === '```ts') {
        const block = { at: `${path}:${index + 2}`, lines: [], places: [] }
        blocks.push(block)
        open = block
      } else throw new Error(`${place}: a fence that is neither "\`\`\`ts" nor "\`\`\`ts continues" behind another`)
    }
  }
  if (open !== undefined) throw new Error(`${path}: a block without end`)
  return blocks.map(({ at, lines, places }) => ({ at, text: lines.join('\n'), places }))
}

/**
 * What the compiler says of blocks, each as `README.md:41: message`. Strict as the sources are, with Node's types and the DOM's, as a reader has them.
 *
 * @param root Absolute, with a slash at its end: blocks are compiled as files below it, so that packages are found.
 * @param modules What the names of the package and its subpaths mean: paths of sources, from `root` on.
 */
export function problemsOf(blocks: readonly Block[], root: string, modules: Readonly<Record<string, string>>): readonly string[] {
  const { config } = ts.readConfigFile(`${root}tsconfig.base.json`, (path) => ts.sys.readFile(path)) as { readonly config: { readonly compilerOptions: object } }
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      ...config.compilerOptions,
      lib: ['es2023', 'dom'],
      types: ['node'],
      noEmit: true,
      moduleDetection: 'force',
      skipLibCheck: true,
      // What an example makes and does not use is for its reader; and it is no library.
      noUnusedLocals: false,
      isolatedDeclarations: false,
      declaration: false,
      declarationMap: false,
      paths: Object.fromEntries(Object.entries(modules).map(([name, source]) => [name, [root + source]])),
    },
    root,
  )
  const virtual = new Map(blocks.map((block, index) => [`${root}build/docs-blocks/${index}.ts`, block]))
  const host = ts.createCompilerHost(options)
  const [readFile, fileExists] = [host.readFile.bind(host), host.fileExists.bind(host)]
  host.readFile = (path) => virtual.get(path)?.text ?? readFile(path)
  host.fileExists = (path) => virtual.has(path) || fileExists(path)
  const getSourceFile = host.getSourceFile.bind(host)
  host.getSourceFile = (path, version, ...rest) => {
    const block = virtual.get(path)
    return block === undefined ? getSourceFile(path, version, ...rest) : ts.createSourceFile(path, block.text, version, true)
  }
  const program = ts.createProgram([...virtual.keys()], options, host)
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const message = ts.flattenDiagnosticMessageText(messageText, '\n')
    if (file === undefined) return message
    const line = file.getLineAndCharacterOfPosition(start).line
    return `${virtual.get(file.fileName)?.places[line] ?? `${file.fileName.replace(root, '')}:${line + 1}`}: ${message}`
  })
}

/** Whether a block can be run here: it takes nothing from outside, and needs no etcd. */
export function isRunnable({ text }: Block): boolean {
  return !/^(?:export )?declare /m.test(text) && !/ from '(?!etcd-rbac(?:\/|'))/.test(text)
}

/**
 * Runs a block, and tells where it printed something else than it says, each as `README.md:41: printed false, says true`.
 *
 * @param modules What the imports of the block give.
 */
export async function differencesOf(block: Block, modules: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
  const { code, promises } = withExpectations(block)
  const { outputText } = ts.transpileModule(code, { compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.CommonJS } })
  const printed = new Map<number, string[]>()
  const log = (index: number, ...values: readonly unknown[]): void => void printed.set(index, [...(printed.get(index) ?? []), format(...values)])
  const load = (name: string): unknown => {
    if (!Object.hasOwn(modules, name)) throw new Error(`${block.at}: imports ${name}, which is not there`)
    return modules[name]
  }
  const AsyncFunction = (async () => undefined).constructor as new (...parameters: readonly string[]) => (...values: readonly unknown[]) => Promise<void>
  await new AsyncFunction('require', 'exports', 'promised', 'console', outputText)(load, {}, log, { log: () => undefined })
  return promises.flatMap(({ place, says }, index) => {
    const texts = printed.get(index)
    if (texts === undefined) return [`${place}: printed nothing, says ${says}`]
    return texts.filter((text) => text !== says).map((text) => `${place}: printed ${text}, says ${says}`)
  })
}

/** How many of the block's lines say what they print. */
export function promisesOf(block: Block): number {
  return withExpectations(block).promises.length
}

/** The program in which every `console.log(…) // text` calls `promised(index, …)` instead. */
function withExpectations({ text, places }: Block): { readonly code: string; readonly promises: readonly { readonly place: string; readonly says: string }[] } {
  const file = ts.createSourceFile('block.ts', text, ts.ScriptTarget.ES2023, true)
  const lines = text.split('\n')
  const found: { readonly start: number; readonly end: number; readonly line: number; readonly says: string }[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === 'console.log') {
      const { line, character } = file.getLineAndCharacterOfPosition(node.end)
      const says = /^[)},;\s]*\/\/ (.+)$/.exec(lines[line]?.slice(character) ?? '')?.[1]
      if (says !== undefined) found.push({ start: node.getStart(), end: (node.arguments[0] ?? node).getStart(), line, says: says.trim() })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  let code = text
  for (const [index, { start, end }] of [...found.entries()].reverse()) code = `${code.slice(0, start)}promised(${index}, ${code.slice(end)}`
  return { code, promises: found.map(({ line, says }) => ({ place: places[line] ?? '', says })) }
}
