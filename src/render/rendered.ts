/** What rendering gives, as data: arguments with their reasons, environment, files, Kubernetes objects. Nothing is written anywhere. */

/** One command-line flag of a program. */
export interface Argument {
  readonly flag: `--${string}`
  readonly value: string
  /** Why it is there, for whoever reads the unit file. */
  readonly why: string
}

/** One file to be written, with the mode that it must have from its first byte on. */
export interface RenderedFile {
  /** Absolute. */
  readonly path: string
  /** `0o600` for what is secret, `0o644` for the rest. */
  readonly mode: 0o600 | 0o644
  readonly contents: string
  /** Whether `contents` must not be logged, shown or stored elsewhere. */
  readonly secret: boolean
}

/** One directory that must exist before the files are written. */
export interface RenderedDirectory {
  /** Absolute. */
  readonly path: string
  readonly mode: 0o700
}

/** Environment variables. */
export type Environment = Readonly<Record<string, string>>

/** What a process on a host needs. */
export interface Rendered {
  readonly arguments: readonly Argument[]
  readonly directories: readonly RenderedDirectory[]
  readonly files: readonly RenderedFile[]
  /** What no setting says, and somebody must know or do. */
  readonly notes: readonly string[]
}

/**
 * Arguments as a program takes them: `--flag=value`, without quoting. Pass them to `spawn`, not to a shell. Throws nothing.
 *
 * @example
 * ```ts
 * import { toCommand } from 'etcd-rbac/render'
 * console.log(toCommand([{ flag: '--client-cert-auth', value: 'true', why: 'clients are known by certificate' }]).join(' ')) // --client-cert-auth=true
 * ```
 */
export function toCommand(args: readonly Argument[]): string[] {
  return args.map(({ flag, value }) => `${flag}=${value}`)
}

/**
 * Arguments of an etcd member as `ETCD_…` variables. Use one or the other: from 3.4 on etcd exits where a setting comes both ways.
 *
 * @example
 * ```ts
 * import { toEnvironment } from 'etcd-rbac/render'
 * console.log(toEnvironment([{ flag: '--client-cert-auth', value: 'true', why: 'clients are known by certificate' }])['ETCD_CLIENT_CERT_AUTH']) // true
 * ```
 */
export function toEnvironment(args: readonly Argument[]): Environment {
  return Object.fromEntries(args.map(({ flag, value }) => [`ETCD_${flag.slice(2).replaceAll('-', '_').toUpperCase()}`, value]))
}

/**
 * A Kubernetes object as JSON, which `kubectl apply -f -` takes: the same text for the same object, with a final newline.
 *
 * @example
 * ```ts
 * import { toJson } from 'etcd-rbac/render'
 * console.log(toJson({ kind: 'Secret' }).trimEnd().split('\n').length) // 3
 * ```
 */
export function toJson(object: object): string {
  return `${JSON.stringify(object, undefined, 2)}\n`
}
