/** Paths as Go's `path` package and its HTTP router treat them. */

/** The shortest path that means the same (`path.Clean`). */
export function cleanPath(path: string): string {
  const rooted = path.startsWith('/')
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (!rooted) parts.push(part)
  }
  return (rooted ? '/' : '') + parts.join('/') || '.'
}

/** Paths one below the other, cleaned (`path.Join`). */
export function joinPath(...parts: readonly string[]): string {
  const given = parts.filter((part) => part !== '')
  return given.length === 0 ? '' : cleanPath(given.join('/'))
}

/** Where the router redirects to before anything else is looked at; the path itself where it does not. A final slash stays. */
export function routedPath(path: string): string {
  const clean = cleanPath(path.startsWith('/') ? path : `/${path}`)
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean
}

/** Percent-decoding of a path (`url.PathUnescape`), or `undefined` where it is malformed. `+` stays. */
export function decodePath(path: string): string | undefined {
  return /%(?![0-9a-f]{2})/i.test(path) ? undefined : decodeText(path)
}

/** Percent-decoding of sound escapes. Bytes that are no UTF-8 become U+FFFD, as they do in Go's JSON. */
export function decodeText(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (run) => lenient(Uint8Array.from(run.slice(1).split('%'), (byte) => Number.parseInt(byte, 16))))
}

const lenient = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
