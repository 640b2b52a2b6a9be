/** Calls: what one may be told, and the log of a double: what it was asked, by whom, without passwords. */

/** What a call may be told. */
export interface CallOptions {
  /** When it is over: milliseconds since 1970, or a Date, by the double's clock. Default: never. */
  readonly deadline?: number | Date
}

/** One call that reached the double. */
export interface Call {
  /** 1 for the first call of the double. */
  readonly index: number
  readonly api: 'v2' | 'v3'
  /** The RPC in lower camel case, as etcd3 writes it; for v2 the HTTP method and the path. */
  readonly method: string
  /** The request of an RPC, or the body of a v2 request, decoded where it is JSON. Passwords are taken out. */
  readonly request: unknown
  /** The Common Name of the client's certificate, `''` for one without, `undefined` for a client without certificate. */
  readonly commonName: string | undefined
}

/** A value without its passwords, wherever they stand. */
export function withoutPasswords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPasswords)
  if (value instanceof Uint8Array) return value.slice()
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([name]) => name.toLowerCase() !== 'password')
  return Object.fromEntries(entries.map(([name, field]) => [name, withoutPasswords(field)]))
}

/** A v2 body for the log: JSON without passwords; anything else that may hold one is left out. */
export function loggedBody(path: string, body: string): unknown {
  if (body === '') return undefined
  try {
    return withoutPasswords(JSON.parse(body))
  } catch {
    return path.startsWith('/v2/auth') ? undefined : body
  }
}
