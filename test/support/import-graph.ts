/** What the files of src/ import, as data, and the rules that the rooms keep. Reads with the compiler's own parser. */
import ts from 'typescript'

/** One import or re-export. */
export interface Edge {
  /** The importing file, relative to src/ (`policy/can.ts`). */
  readonly from: string
  /** The imported file, likewise, or the name of a package. */
  readonly to: string
  /** `type`: gone when compiled. `lazy`: an `import()`, loaded when it is reached. */
  readonly kind: 'runtime' | 'type' | 'lazy'
}

/** A file of src/: its path there, and its text. */
export interface Source {
  readonly path: string
  readonly text: string
}

function resolve(from: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier
  const segments = [...from.split('/').slice(0, -1), ...specifier.split('/')]
  const clean: string[] = []
  for (const segment of segments) {
    if (segment === '..' && clean.pop() === undefined) return specifier
    if (segment !== '.' && segment !== '..') clean.push(segment)
  }
  return clean.join('/').replace(/\.js$/, '.ts')
}

const literal = (node: ts.Node | undefined): string | undefined => (node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined)

/** Every import of a file. An inline `type` is no type-only import: with `verbatimModuleSyntax` the module is loaded all the same. */
export function importsOf({ path, text }: Source): readonly Edge[] {
  const edges: Edge[] = []
  const add = (kind: Edge['kind'], specifier: string | undefined) => void edges.push({ from: path, to: specifier === undefined ? '(computed)' : resolve(path, specifier), kind })
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword ? 'type' : 'runtime', literal(node.moduleSpecifier))
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) add(node.isTypeOnly ? 'type' : 'runtime', literal(node.moduleSpecifier))
    else if (ts.isImportEqualsDeclaration(node)) add('runtime', ts.isExternalModuleReference(node.moduleReference) ? literal(node.moduleReference.expression) : undefined)
    else if (ts.isImportTypeNode(node)) add('type', ts.isLiteralTypeNode(node.argument) ? literal(node.argument.literal) : undefined)
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add('lazy', literal(node.arguments[0]))
    else if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'require') add('runtime', literal(node.arguments[0]))
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true))
  return edges
}

/** Where a file uses `async`, `await` or `Promise`, as lines. */
export function asynchronous({ path, text }: Source): readonly number[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true)
  const lines: number[] = []
  const visit = (node: ts.Node): void => {
    const found = node.kind === ts.SyntaxKind.AsyncKeyword || node.kind === ts.SyntaxKind.AwaitKeyword || ts.isAwaitExpression(node) || (ts.isIdentifier(node) && /^Promise(?:Like)?$/.test(node.text))
    if (found) lines.push(source.getLineAndCharacterOfPosition(node.getStart()).line + 1)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return lines
}

/** What a room may import besides itself: rooms, single files, and packages. */
export interface Allowed {
  readonly any: readonly string[]
  /** Only in type position. */
  readonly types?: readonly string[]
}

/** The room of a file: the longest key of the table that it is, or lies in. */
export function roomOf(path: string, rooms: Readonly<Record<string, Allowed>>): string | undefined {
  const holding = Object.keys(rooms).filter((room) => path === room || path.startsWith(`${room}/`))
  return holding.sort((a, b) => b.length - a.length)[0]
}

/** The edges that the table does not allow, each as a sentence. */
export function violations(edges: readonly Edge[], rooms: Readonly<Record<string, Allowed>>): readonly string[] {
  const within = (path: string, places: readonly string[]): boolean => places.some((place) => place === '*' || path === place || path.startsWith(`${place}/`))
  return edges.flatMap(({ from, to, kind }) => {
    const room = roomOf(from, rooms)
    if (room === undefined) return [`${from} is in no room`]
    const { any, types = [] } = rooms[room]!
    if (roomOf(to, rooms) === room || within(to, any) || (kind === 'type' && within(to, types))) return []
    return [`${from} imports ${to}${kind === 'type' ? ' (types)' : ''}`]
  })
}

/** The files that lie on a cycle, each cycle once, as `a → b → a`. */
export function cycles(edges: readonly Edge[]): readonly string[] {
  const next = new Map<string, Set<string>>()
  for (const { from, to } of edges) next.set(from, (next.get(from) ?? new Set()).add(to))
  const found: string[] = []
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path)
    if (at !== -1) found.push([...trail.slice(at), path].join(' → '))
    if (at !== -1 || done.has(path)) return
    for (const to of next.get(path) ?? []) visit(to, [...trail, path])
    done.add(path)
  }
  for (const path of next.keys()) visit(path, [])
  return found
}

/** Everything that importing a file loads: files and packages. */
export function loadedBy(entry: string, edges: readonly Edge[]): ReadonlySet<string> {
  const loaded = new Set([entry])
  for (const path of loaded) for (const { from, to, kind } of edges) if (from === path && kind === 'runtime') loaded.add(to)
  return loaded
}
