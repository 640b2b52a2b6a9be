/**
 * v2 path patterns and the paths that requests name.
 *
 * Follows etcd 3.5 `server/etcdserver/api/v2auth/auth.go` (`simpleMatch`, `prefixMatch`): a final `*` matches every path with what stands
 * before it as prefix, anything else matches itself; a recursive request needs a pattern that ends in `*`. The path is the one of the
 * request's URL after `/v2/keys`, with a trailing slash where the request has one.
 */
import { EtcdRbacError, quoted } from '../errors.js'
import { isWellFormed } from '../bytes.js'

/** Paths that a v2 permission opens. */
export interface PathPattern {
  readonly api: 'v2'
  readonly pattern: string
}

/** The path of a v2 request. `/c` and `/c/` are the same node, but etcd matches them differently. */
export interface Path {
  readonly api: 'v2'
  readonly path: string
  readonly recursive: boolean
}

function pathProblem(path: string): { found: string; wanted: string } | undefined {
  if (!isWellFormed(path)) return { found: 'half of a surrogate pair', wanted: 'well-formed Unicode' }
  if (!path.startsWith('/')) return { found: 'no leading slash', wanted: 'a path that begins with "/": etcd v2 matches nothing else' }
  if (/\/(?:\.{0,2})\//.test(path) || /\/\.{1,2}$/.test(path))
    return { found: 'an empty, "." or ".." segment', wanted: 'a clean path: etcd v2 redirects any other and never matches it' }
  return undefined
}

/**
 * A v2 pattern: an exact path, or a path prefix followed by `*`; `*` alone is everything. `/c*` opens `/cfoo` too, `/c/*` does not open `/c`.
 *
 * @throws {@link EtcdRbacError} `ERR_PATTERN_INVALID` for what etcd accepts but never matches, takes literally, or crashes on
 * @example
 * ```ts
 * import { pattern, readwrite } from 'etcd-rbac'
 * readwrite(pattern('/calico/v1/*')) // what is below /calico/v1/, not the directory itself
 * ```
 */
export function pattern(text: string): PathPattern {
  if (typeof text !== 'string') throw new TypeError('a pattern must be a string')
  const star = text.indexOf('*')
  const problem =
    text === ''
      ? { found: 'nothing', wanted: 'a path: etcd v2 resets every connection that meets an empty pattern' }
      : star !== -1 && star !== text.length - 1
        ? { found: 'a "*" before the end', wanted: 'at most one "*", as the last character: etcd v2 takes any other literally' }
        : text === '*'
          ? undefined
          : pathProblem(text)
  if (problem) {
    throw new EtcdRbacError(
      'ERR_PATTERN_INVALID',
      { found: `pattern ${quoted(text)} with ${problem.found}`, wanted: problem.wanted, fix: 'correct the pattern' },
      { pattern: text },
    )
  }
  return { api: 'v2', pattern: text }
}

/**
 * The path of a v2 request, as it stands in the URL after `/v2/keys`, decoded; the empty one is the root without slash.
 *
 * @param options Its `recursive` (default `false`) asks for all that is below too, which only a pattern that ends in `*` allows.
 * @throws {@link EtcdRbacError} `ERR_PATTERN_INVALID`
 * @example
 * ```ts
 * import { get, path } from 'etcd-rbac'
 * get(path('/calico/', { recursive: true }))
 * ```
 */
export function path(text: string, options: { readonly recursive?: boolean } = {}): Path {
  if (typeof text !== 'string') throw new TypeError('a path must be a string')
  const { recursive = false } = options
  if (typeof recursive !== 'boolean') throw new TypeError('recursive must be true or false')
  const problem = text === '' ? undefined : pathProblem(text)
  if (problem) {
    throw new EtcdRbacError(
      'ERR_PATTERN_INVALID',
      { found: `path ${quoted(text)} with ${problem.found}`, wanted: problem.wanted, fix: 'correct the path' },
      { pattern: text },
    )
  }
  return { api: 'v2', path: text, recursive }
}

/** Whether every request that `inner` allows is allowed by `outer` too. */
export function coversPattern(outer: PathPattern, inner: PathPattern): boolean {
  if (outer.pattern === inner.pattern) return true
  if (!outer.pattern.endsWith('*')) return false
  return inner.pattern.replace(/\*$/, '').startsWith(outer.pattern.slice(0, -1))
}
