/**
 * The shape of a policy document, as a JSON Schema (draft 2020-12): for editors, and for whoever checks a file without running this library.
 *
 * It tells shapes. What takes comparing one part with another is left to `parsePolicy`: that users of bindings are declared, that no member or
 * authority is named like a user, that a range's end is after its start, that no character is half a surrogate pair, that the v2 half hides no user.
 */

/** A JSON Schema as plain data. */
export type JsonSchema = boolean | { readonly [keyword: string]: JsonSchema | string | number | null | readonly (JsonSchema | string | number)[] }

// Expressions that JavaScript and Python read alike: no \p{…}. Half surrogate pairs, which JSON can escape, are left to `parsePolicy`.
// Of `nameProblem`: nothing invisible, no replacement character, no slash, no outer space, neither "." nor "..".
const INVISIBLE = '\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u0600-\\u0605\\u061c\\u06dd\\u070f\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2064\\u2066-\\u206f\\ufeff\\ufff9-\\ufffb'
const REPLACEMENT = '\\ufffd'
const NAME = `^(?!\\.{1,2}$)(?!\\s)(?![\\s\\S]*\\s$)[^/${INVISIBLE}${REPLACEMENT}]+$`
// Canonical base64 of at least one byte: the bits that padding leaves over are zero.
const B = '[A-Za-z0-9+/]'
const BASE64 = `^(?:${B}{4})*(?:${B}{4}|${B}{2}[AEIMQUYcgkosw048]=|${B}[AQgw]==)$`
// The same where the last byte is a slash: 0x2f.
const BASE64_SLASH = `^(?:${B}{4})*(?:${B}{2}[AEIMQUYcgkosw048]v|${B}[CSiy]8=|Lw==)$`
// Of `pattern`: a clean path with at most one "*", as its last character; or "*" alone.
const PATTERN = '^(?:\\*|(?![\\s\\S]*/\\.{0,2}/)(?![\\s\\S]*/\\.{1,2}$)/[^*]*\\*?)$'

const object = (properties: Readonly<Record<string, JsonSchema>>, required: readonly string[]): JsonSchema => ({ type: 'object', properties, required, additionalProperties: false })
const kind = (name: string, properties: Readonly<Record<string, JsonSchema>>): JsonSchema =>
  object({ api: { const: 'v3' }, kind: { const: name }, ...properties }, ['api', 'kind', ...Object.keys(properties)])
const ref = (name: string): JsonSchema => ({ $ref: `#/$defs/${name}` })
const base64 = (pattern: string): JsonSchema => object({ base64: { type: 'string', pattern } }, ['base64'])
const roles = (reserved: readonly string[], keys: string, hidden: boolean): JsonSchema => ({
  type: 'object',
  propertyNames: { allOf: [ref('name'), { not: { enum: reserved } }, ...(hidden ? [] : [{ not: { pattern: '^_' } }])] },
  additionalProperties: { type: 'array', items: ref(keys) },
})
const permission = (keys: JsonSchema): JsonSchema => object({ type: { enum: ['read', 'write', 'readwrite'] }, keys }, ['type', 'keys'])
const names: JsonSchema = { type: 'array', uniqueItems: true, items: { allOf: [ref('name'), { not: { const: 'root' } }] } }

/**
 * The JSON Schema of a policy document. Whatever `parsePolicy` takes from JSON is valid by it.
 *
 * @example
 * ```ts
 * import { policySchema } from 'etcd-rbac'
 * const text = JSON.stringify(policySchema, undefined, 2) // for a file beside the policies, named in an editor's settings
 * console.log(text.includes('2020-12')) // true
 * ```
 */
export const policySchema: { readonly [keyword: string]: JsonSchema | string | number | readonly (JsonSchema | string | number)[] } = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:etcd-rbac:policy',
  title: 'Policy of etcd-rbac',
  description: 'Who may do what on an etcd: users, and for each API their roles and permissions.',
  type: 'object',
  properties: {
    users: { description: 'User to login: by client certificate with the name as Common Name, or by password.', type: 'object', propertyNames: ref('name'), additionalProperties: { enum: ['certificate', 'password'] } },
    members: { description: 'Names of etcd members, which no user may have.', ...(names as object) },
    authorities: { description: 'Names of certificate authorities, which no user may have.', ...(names as object) },
    v3: object({ roles: roles(['root'], 'v3Permission', true), bindings: ref('bindings') }, ['roles', 'bindings']),
    v2: object({ guest: { description: 'What clients without a known user may do.', type: 'array', items: ref('v2Permission') }, roles: roles(['root', 'guest'], 'v2Permission', false), bindings: ref('bindings') }, ['guest', 'roles', 'bindings']),
  },
  required: ['users'],
  additionalProperties: false,
  $defs: {
    name: { type: 'string', minLength: 1, maxLength: 64, pattern: NAME },
    bindings: { description: 'User to the names of its roles.', type: 'object', propertyNames: ref('name'), additionalProperties: { type: 'array', uniqueItems: true, items: ref('name') } },
    key: { description: 'A key: text, or base64 where its bytes are no UTF-8.', anyOf: [{ type: 'string', minLength: 1 }, base64(BASE64)] },
    terminatedKey: { anyOf: [{ type: 'string', pattern: '/$' }, base64(BASE64_SLASH)] },
    v3Permission: permission({
      oneOf: [
        kind('key', { key: ref('key') }),
        kind('prefix', { prefix: ref('terminatedKey') }),
        kind('prefix', { prefix: ref('key'), siblings: { const: 'include' } }),
        kind('range', { start: ref('key'), end: ref('key') }),
        kind('fromKey', { start: ref('key') }),
        kind('allKeys', {}),
      ],
    }),
    v2Permission: permission(object({ api: { const: 'v2' }, pattern: { type: 'string', pattern: PATTERN } }, ['api', 'pattern'])),
  },
}
