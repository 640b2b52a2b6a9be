/** JSON Schema, draft 2020-12, as far as our schema uses it. A keyword that is not here fails: it would pass for checked. */
import { isDeepStrictEqual } from 'node:util'

type Json = Readonly<Record<string, unknown>>
const ANNOTATIONS = ['$schema', '$id', '$defs', 'title', 'description']

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether a value is valid by a schema. `root` is the document to which references lead. */
export function isValid(schema: unknown, value: unknown, root: unknown = schema): boolean {
  if (typeof schema === 'boolean') return schema
  if (!isObject(schema)) throw new Error('a schema is an object or a boolean')
  const valid = (inner: unknown, of: unknown): boolean => isValid(inner, of, root)
  const list = (of: unknown): readonly unknown[] => of as readonly unknown[]
  return Object.entries(schema).every(([keyword, wanted]) => {
    switch (keyword) {
      case '$ref': {
        const [, name = ''] = /^#\/\$defs\/(\w+)$/.exec(String(wanted)) ?? []
        const definition = (root as { readonly $defs?: Json }).$defs?.[name]
        if (definition === undefined) throw new Error(`no ${String(wanted)}`)
        return valid(definition, value)
      }
      case 'type':
        return wanted === 'object' ? isObject(value) : wanted === 'array' ? Array.isArray(value) : typeof value === wanted
      case 'const':
        return isDeepStrictEqual(value, wanted)
      case 'enum':
        return list(wanted).some((one) => isDeepStrictEqual(value, one))
      case 'allOf':
        return list(wanted).every((one) => valid(one, value))
      case 'anyOf':
        return list(wanted).some((one) => valid(one, value))
      case 'oneOf':
        return list(wanted).filter((one) => valid(one, value)).length === 1
      case 'not':
        return !valid(wanted, value)
      case 'properties':
        return !isObject(value) || Object.entries(wanted as Json).every(([name, inner]) => !Object.hasOwn(value, name) || valid(inner, value[name]))
      case 'required':
        return !isObject(value) || list(wanted).every((name) => Object.hasOwn(value, String(name)))
      case 'propertyNames':
        return !isObject(value) || Object.keys(value).every((name) => valid(wanted, name))
      case 'additionalProperties': {
        const known = Object.keys((schema['properties'] ?? {}))
        return !isObject(value) || Object.entries(value).every(([name, inner]) => known.includes(name) || valid(wanted, inner))
      }
      case 'items':
        return !Array.isArray(value) || value.every((one) => valid(wanted, one))
      case 'uniqueItems':
        return !Array.isArray(value) || value.every((one, place) => value.findIndex((other) => isDeepStrictEqual(one, other)) === place)
      case 'minLength':
        return typeof value !== 'string' || [...value].length >= Number(wanted)
      case 'maxLength':
        return typeof value !== 'string' || [...value].length <= Number(wanted)
      case 'pattern':
        return typeof value !== 'string' || new RegExp(String(wanted), 'u').test(value)
      default:
        if (ANNOTATIONS.includes(keyword)) return true
        throw new Error(`the keyword ${keyword} is not known here`)
    }
  })
}
