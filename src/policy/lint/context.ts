/** What is wrong around a policy: certificates, passwords, ways in, components. */
import { quoted } from '../../errors.js'
import type { Permission } from '../../keys/permission.js'
import { showPermission } from '../../keys/show.js'
import { implies } from '../compare.js'
import type { Policy } from '../policy.js'
import { rightsOf } from '../rights.js'
import { at, type Finding } from './finding.js'
import { resolvedName } from './resolved-name.js'

/** A certificate as far as it matters here; what `inspectCertificate` and issuance records tell is enough. */
export interface LintCertificate {
  readonly purpose: 'client' | 'server' | 'peer' | 'authority'
  /** `undefined` where it has none. */
  readonly commonName: string | undefined
}

/** A component and what it needs: a preset's `permissions` fit. */
export interface LintComponent {
  readonly name: string
  readonly user: string
  readonly permissions: readonly Permission[]
  /** Whether it makes calls that only role root may make, as a preset says. Default `false`. */
  readonly needsRoot?: boolean
}

/** What a policy alone does not tell. Each part is looked at only where it is given. */
export interface LintContext {
  readonly certificates?: readonly LintCertificate[]
  /** Passwords as `apply` will be given them. None is ever shown. */
  readonly passwords?: Readonly<Record<string, string>>
  /** Users whose clients come through etcd's HTTP gateway. */
  readonly gatewayUsers?: readonly string[]
  /** Who vouches for peers: an authority of their own, or the clients' one, with or without a guard of the peer port. */
  readonly peers?: 'own authority' | 'shared authority, guarded' | 'shared authority'
  readonly components?: readonly LintComponent[]
}

function certificateFindings(policy: Policy, { purpose, commonName }: LintCertificate): readonly Finding[] {
  if (purpose === 'client' && commonName === undefined)
    return policy.v2 === undefined
      ? []
      : [
          {
            code: 'certificate-without-common-name',
            severity: 'error',
            where: '$.v2',
            why: 'a client certificate has no Common Name: etcd v2 resets its every connection',
            fix: 'give it the Common Name of a user, or turn v2 off',
          },
        ]
  if (commonName === undefined) return []
  const names = new Set([commonName, resolvedName(commonName)])
  const user = [...names].find((name) => name === 'root' || (name !== undefined && Object.hasOwn(policy.users, name)))
  const holder = purpose === 'client' ? 'a client certificate' : `the certificate of ${purpose === 'authority' ? 'an' : 'a'} ${purpose}`
  const rename = purpose === 'authority' ? 'replace the authority, and whatever it issued, under a name that is nobody' : 'issue it again under another name'
  if (user === undefined)
    return purpose === 'client' ? [{ code: 'certificate-without-user', severity: 'warning', where: '$.users', why: `a client certificate is named ${quoted(commonName)}, which is no user: etcd takes its holder for nobody`, fix: 'declare the user, or take the certificate away' }] : []
  if (user !== commonName) {
    const v2 = policy.v2 === undefined ? 'where the v2 API is on (etcd 3.3 to 3.5), of which the policy says nothing, etcd cleans it as a path' : 'etcd v2 cleans it as a path'
    return [{ code: 'certificate-named-like-user', severity: 'error', where: at('$.users', user), why: `${holder} is named ${quoted(commonName)}: ${v2}, and whoever holds it is user ${quoted(user)} there`, fix: rename }]
  }
  return purpose === 'client' ? [] : [{ code: 'certificate-named-like-user', severity: 'error', where: at('$.users', user), why: `${holder} is named like user ${quoted(user)}: whoever holds it is that user`, fix: rename }]
}

function componentFindings(policy: Policy, { name, user, permissions, needsRoot = false }: LintComponent): readonly Finding[] {
  if (!Object.hasOwn(policy.users, user)) return [{ code: 'component-lacks-right', severity: 'error', where: '$.users', why: `${name} is to log in as ${quoted(user)}, which is no user`, fix: 'declare the user' }]
  const missing = (['v3', 'v2'] as const).filter((api) => policy[api] === undefined).flatMap((api): readonly Finding[] => {
    const needed = permissions.filter(({ keys }) => keys.api === api)
    if (needed.length === 0) return []
    const shown = `${needed.slice(0, 10).map(showPermission).join(', ')}${needed.length > 10 ? `, ${needed.length - 10} more` : ''}`
    return [{ code: 'component-lacks-right', severity: 'error', where: `$.${api}`, why: `${name} needs rights on ${api}, and the policy has no ${api} half: ${shown}`, fix: `add ${api} to the policy, or leave ${api} rights out of what the component needs` }]
  })
  const lacking = permissions.flatMap((permission): readonly Finding[] => {
    const { api } = permission.keys
    if (policy[api] === undefined) return []
    const { root, granted } = rightsOf(policy, api, user)
    if (root || implies(granted.map((one) => one.permission), [permission]).holds) return []
    return [{ code: 'component-lacks-right', severity: 'error', where: at('$.users', user), why: `${name} needs ${showPermission(permission)}, which no role of user ${quoted(user)} gives`, fix: 'grant it to one of its roles' }]
  })
  const unrooted = needsRoot && policy.v3 !== undefined && !rightsOf(policy, 'v3', user).root
  const root: Finding = { code: 'component-lacks-right', severity: 'error', where: at('$.users', user), why: `${name} makes calls that only role root may make, and user ${quoted(user)} does not hold it`, fix: 'bind it to role root, or configure the component so that it needs none' }
  return [...missing, ...lacking, ...(unrooted ? [root] : [])]
}

/** Everything around a policy. */
export function contextFindings(policy: Policy, { certificates = [], passwords = {}, gatewayUsers = [], peers, components = [] }: LintContext): readonly Finding[] {
  return [
    ...certificates.flatMap((certificate) => certificateFindings(policy, certificate)),
    ...Object.entries(passwords)
      .filter(([, password]) => password === '')
      .map(([user]): Finding => ({ code: 'empty-password', severity: 'error', where: at('$.users', user), why: `the password of user ${quoted(user)} is empty: anybody logs in as that user`, fix: 'give it one' })),
    ...gatewayUsers
      .filter((user) => !Object.hasOwn(policy.users, user))
      .map((user): Finding => ({ code: 'gateway-user-unknown', severity: 'warning', where: '$.users', why: `${quoted(user)} is to come through the HTTP gateway, and is no user`, fix: 'declare the user, or correct the name' })),
    ...gatewayUsers
      .filter((user) => Object.hasOwn(policy.users, user) && policy.users[user] === 'certificate')
      .map((user): Finding => ({
        code: 'certificate-user-behind-gateway',
        severity: 'error',
        where: at('$.users', user),
        why: `user ${quoted(user)} logs in by certificate, and etcd takes no Common Name over its HTTP gateway`,
        fix: 'let it log in by password, with a certificate that has no Common Name; or speak gRPC',
      })),
    ...(peers === 'shared authority'
      ? ([{ code: 'shared-peer-authority', severity: 'error', where: '$.authorities', why: 'clients and peers have one authority and nothing guards the peer port: every client certificate opens it, and whoever it opens to is root', fix: 'give peers an authority of their own, or guard the port by host name or a reserved Common Name' }] as const)
      : []),
    ...components.flatMap((component) => componentFindings(policy, component)),
  ]
}
