/** What is around a policy, as the caller says it: of its types, or refused. */
import { quoted } from '../../errors.js'
import type { LintCertificate, LintContext } from './context.js'

const PURPOSES: readonly unknown[] = ['client', 'server', 'peer', 'authority'] satisfies readonly LintCertificate['purpose'][]
const PEERS: readonly unknown[] = [undefined, 'own authority', 'shared authority, guarded', 'shared authority'] satisfies readonly LintContext['peers'][]

/** A context whose fields are of their types: a misspelt one would pass for nothing found. */
export function checkedContext(context: LintContext): LintContext {
  const fail = (what: string): never => {
    throw new TypeError(what)
  }
  const object = (value: unknown, what: string): Readonly<Record<string, unknown>> => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : fail(`${what} must be an object`))
  const list = (value: unknown, what: string): readonly unknown[] => (value === undefined ? [] : Array.isArray(value) ? value : fail(`${what} must be a list`))
  const text = (value: unknown, what: string): unknown => (typeof value === 'string' ? value : fail(`${what} must be a string`))

  const { certificates, passwords, gatewayUsers, peers, components, ...rest } = object(context, 'the context of lint')
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) fail(`unknown field ${quoted(unknown)} in the context of lint, wanted certificates, passwords, gatewayUsers, peers, components`)
  for (const [place, one] of list(certificates, 'certificates').entries()) {
    const { purpose, commonName } = object(one, `certificates[${place}]`)
    if (!PURPOSES.includes(purpose)) fail(`certificates[${place}].purpose must be 'client', 'server', 'peer' or 'authority'`)
    if (commonName !== undefined) text(commonName, `certificates[${place}].commonName`)
  }
  for (const [user, password] of Object.entries(passwords === undefined ? {} : object(passwords, 'passwords'))) text(password, `the password of user ${quoted(user)}`)
  for (const [place, user] of list(gatewayUsers, 'gatewayUsers').entries()) text(user, `gatewayUsers[${place}]`)
  if (!PEERS.includes(peers)) fail("peers must be 'own authority', 'shared authority, guarded' or 'shared authority'")
  for (const [place, one] of list(components, 'components').entries()) {
    const at = `components[${place}]`
    const { name, user, permissions } = object(one, at)
    text(name, `${at}.name`)
    text(user, `${at}.user`)
    if (permissions === undefined) fail(`${at}.permissions must be a list`)
    for (const [index, permission] of list(permissions, `${at}.permissions`).entries()) {
      const { keys } = object(permission, `${at}.permissions[${index}]`)
      const { api } = object(keys, `${at}.permissions[${index}].keys`)
      if (api !== 'v2' && api !== 'v3') fail(`${at}.permissions[${index}].keys must be keys of v3 or a pattern of v2`)
    }
  }
  return context
}
