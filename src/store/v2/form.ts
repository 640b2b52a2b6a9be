/** The parameters of a key request: the query, and before it the body where that is a form. Follows `v2http/client.go` (`parseKeyRequest`). */
import { decodeText } from './path.js'
import type { TreeError } from './reply.js'

export interface KeyParameters {
  readonly prevIndex: number
  readonly waitIndex: number
  readonly recursive: boolean
  readonly sorted: boolean
  readonly wait: boolean
  readonly dir: boolean
  readonly quorum: boolean
  readonly noValueOnSuccess: boolean
  readonly prevValue: string
  readonly prevExist: boolean | undefined
  readonly refresh: boolean
  /** In seconds, below 2 to the 64th. */
  readonly ttl: bigint | undefined
  readonly stream: boolean
  readonly value: string
}

type Form = ReadonlyMap<string, string>

/** Go's `strconv.ParseBool`. */
const BOOLEANS: Readonly<Record<string, boolean>> = Object.fromEntries([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((text) => [text, true]),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text) => [text, false]),
]) as Record<string, boolean>

/** `a=b&c=d`, the first of a name counting, or the first escape that is malformed (`url.ParseQuery`). */
function parseForm(...texts: readonly string[]): Form | { readonly escape: string } {
  const form = new Map<string, string>()
  for (const pair of texts.flatMap((text) => text.split('&')).filter((text) => text !== '')) {
    const at = pair.indexOf('=')
    const parts = [at < 0 ? pair : pair.slice(0, at), at < 0 ? '' : pair.slice(at + 1)]
    const escape = parts.map((part) => /%(?![0-9a-f]{2}).{0,2}/i.exec(part)?.[0]).find((found) => found !== undefined)
    if (escape !== undefined) return { escape }
    const [name = '', value = ''] = parts.map((part) => decodeText(part.replaceAll('+', ' ')))
    if (!form.has(name)) form.set(name, value)
  }
  return form
}

const requestError = (errorCode: number, cause: string): TreeError => ({ errorCode, cause, index: 0 })

/** The parameters, or the first that is wrong. `body` is empty where it is not a form. */
export function parseKeyParameters(method: string, query: string, body: string): KeyParameters | TreeError {
  const form = parseForm(body, query)
  if ('escape' in form) return requestError(210, `invalid URL escape ${JSON.stringify(form.escape)}`)
  const problems: TreeError[] = []
  const number = (name: string, code: number): bigint => {
    const text = form.get(name) ?? '0'
    const value = /^\d+$/.test(text) ? BigInt(text) : undefined
    if (value !== undefined && BigInt.asUintN(64, value) === value) return value
    problems.push(requestError(code, `invalid value for "${name}"`))
    return 0n
  }
  const boolean = (name: string, quoted = `"${name}"`): boolean => {
    const text = form.get(name)
    const value = text === undefined ? false : Object.hasOwn(BOOLEANS, text) ? BOOLEANS[text] : undefined
    if (value === undefined) problems.push(requestError(209, `invalid value for ${quoted}`))
    return value ?? false
  }
  // In the order in which etcd looks at them: the first problem is the answer.
  const [prevIndex, waitIndex] = [Number(number('prevIndex', 203)), Number(number('waitIndex', 203))]
  const [recursive, sorted, wait, dir, quorum, stream] = [boolean('recursive'), boolean('sorted'), boolean('wait'), boolean('dir'), boolean('quorum'), boolean('stream')]
  if (wait && method !== 'GET') problems.push(requestError(209, '"wait" can only be used with GET requests'))
  const prevValue = form.get('prevValue') ?? ''
  if (form.has('prevValue') && prevValue === '') problems.push(requestError(201, '"prevValue" cannot be empty'))
  const noValueOnSuccess = boolean('noValueOnSuccess')
  const ttl = form.get('ttl') ? number('ttl', 202) : undefined
  const prevExist = form.has('prevExist') ? boolean('prevExist', 'prevExist') : undefined
  const refresh = boolean('refresh', 'refresh')
  const value = form.get('value') ?? ''
  if (refresh && value !== '') problems.push(requestError(211, 'A value was provided on a refresh'))
  if (refresh && ttl === undefined) problems.push(requestError(212, 'No TTL value set'))
  const [problem] = problems
  return problem ?? { prevIndex, waitIndex, recursive, sorted, wait, dir, quorum, noValueOnSuccess, prevValue, prevExist, refresh, ttl, stream, value }
}
