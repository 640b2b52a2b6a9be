/** Whether the names in a certificate and above it are those that a policy knows: what etcd takes for a user must be that user, and nothing else may be one. */
import { compareBytes } from '../bytes.js'
import { isEtcdRbacError, quoted } from '../errors.js'
import { nameProblem } from '../names.js'
import type { Policy } from '../policy/policy.js'
import { commonNamesOf } from './asn1/name.js'
import type { UnverifiedCertificate } from './asn1/read-certificate.js'
import type { MaterialCheck, MaterialFinding } from './material-check.js'
import { certificateUser, declaredMember } from './declared.js'
import { checkGateway } from './gateway-uri.js'
import { alternativeNameOf, hostsOf } from './hosts.js'

/** Findings about who the leaf is, and what the authorities above it are called. */
export function nameFindings(check: MaterialCheck<Policy>, leaf: UnverifiedCertificate | undefined, authorities: readonly UnverifiedCertificate[]): readonly MaterialFinding[] {
  const { policy } = check
  const declared =
    check.purpose === 'client' ? undeclared('user-unknown', () => certificateUser(policy, check.user))
    : check.purpose === 'gateway' ? undeclared('uri-invalid', () => checkGateway(policy, check.uri))
    : undeclared('member-unknown', () => declaredMember(policy, check.member))
  const commonNames = leaf === undefined ? [] : commonNamesOf(leaf.subject)
  const shown = commonNames.slice(0, 4).map(quoted).join(' and ') || '(none)'
  const own: MaterialFinding[] = []
  if (leaf !== undefined && check.purpose === 'client' && (commonNames.length !== 1 || commonNames[0] !== check.user))
    own.push({ code: 'common-name', message: `Common Name ${shown}; wanted exactly ${quoted(check.user)}: etcd takes the Common Name for the user, and the last one of several`, fix: 'issue it anew for this user, or pass the certificate of this user' })
  if (check.purpose === 'gateway') {
    if (commonNames.length > 0)
      own.push({ code: 'common-name', message: `a gateway with Common Name ${shown}; wanted none: what it passes on would be done by that user, or refused`, fix: 'issue it anew without Common Name' })
    if (leaf !== undefined && !leaf.alternativeNames.some((name) => name.kind === 'uri' && name.text === check.uri))
      own.push({ code: 'uri-missing', message: `a certificate without URI ${quoted(check.uri)}; wanted it among its subject alternative names`, fix: 'issue it anew for this gateway, or pass the certificate of this gateway' })
  } else if (check.purpose !== 'client') {
    const users = commonNames.flatMap((name) => userOf(policy, name) ?? [])
    if (users.length > 0)
      own.push({ code: 'common-name-is-user', message: `a member with Common Name ${shown}; wanted none, or one that no user has: whoever holds it would be user ${users.map(quoted).join(' and ')}`, fix: 'issue it anew without Common Name, or rename the user' })
    // What etcd reads there is not what is read here, or nobody can see what it is.
    const odd = commonNames.filter((name) => userOf(policy, name) === undefined).flatMap((name) => nameProblem('member', name) ?? [])
    if (odd.length > 0)
      own.push({ code: 'common-name', message: `Common Name: ${odd.map(({ found }) => found).join('; ')}; wanted none, or ${odd.map(({ wanted }) => wanted).join(', and ')}`, fix: 'issue it anew without Common Name' })
  }
  return [...declared, ...own, ...authorities.flatMap((authority) => authorityFindings(policy, authority))]
}

function authorityFindings(policy: Policy, { subject }: UnverifiedCertificate): readonly MaterialFinding[] {
  return commonNamesOf(subject).flatMap((name): readonly MaterialFinding[] => {
    const user = userOf(policy, name)
    if (user !== undefined)
      return [{ code: 'authority-is-user', message: `authority ${quoted(name)}, named like user ${quoted(user)}; wanted a name that no user has: on etcd v2 everyone it certifies would be that user`, fix: 'rename the user, or make another authority' }]
    const problem = nameProblem('authority', name)
    if (problem !== undefined) return [{ code: 'authority-name', message: `${problem.found}; wanted ${problem.wanted}`, fix: 'make another authority' }]
    if (policy.authorities.includes(name)) return []
    return [{ code: 'authority-undeclared', message: `authority ${quoted(name)}; wanted one of the policy's (${policy.authorities.map(quoted).join(', ') || 'it has none'})`, fix: 'declare it under authorities, which keeps users from its name' }]
  })
}

/** The user that etcd takes a name for. On v2 it is resolved as a path: `x/../root` is `root`. */
function userOf({ users }: Policy, name: string): string | undefined {
  const cleaned: string[] = []
  for (const part of name.split('/')) {
    if (part === '..') cleaned.pop()
    else if (part !== '' && part !== '.') cleaned.push(part)
  }
  return [name, cleaned.join('/')].find((one) => Object.hasOwn(users, one))
}

function undeclared(code: 'user-unknown' | 'member-unknown' | 'uri-invalid', look: () => unknown): readonly MaterialFinding[] {
  try {
    look()
    return []
  } catch (error) {
    if (!isEtcdRbacError(error)) throw error
    return [{ code, message: error.message, fix: 'correct the policy, or pass the right name' }]
  }
}

/** Whether a DNS name covers a host, both in lower case. As Go has it, and Node beside that: a `*` stands for one label, above two others at least. */
export function coversHost(name: string, host: string): boolean {
  return name === host || (/^\*\.[^.]+\../.test(name) && /^[^.]+(\..+)$/.exec(host)?.[1] === name.slice(1))
}

/** Findings about the hosts that a member's certificate is for, held against the URLs by which it is dialled. */
export function hostFindings({ alternativeNames }: UnverifiedCertificate, urls: readonly string[] = []): readonly MaterialFinding[] {
  const invalid: MaterialFinding[] = []
  const hosts = urls.flatMap((url) => {
    try {
      return hostsOf(url)
    } catch (error) {
      if (!isEtcdRbacError(error)) throw error
      invalid.push({ code: 'url-invalid', message: error.message, fix: 'pass the URLs by which it is dialled' })
      return []
    }
  })
  const names = alternativeNames.flatMap((name) => (name.kind === 'dns' ? [name.text.toLowerCase()] : []))
  const addresses = alternativeNames.flatMap((name) => (name.kind === 'ip' ? [name.address] : []))
  // Neither Go nor Node looks at the Common Name for a host.
  const covers = (host: string): boolean => {
    const wanted = alternativeNameOf(host)
    if (wanted.kind === 'ip') return addresses.some((address) => compareBytes(address, wanted.address) === 0)
    return names.some((name) => coversHost(name, host))
  }
  const missing = [...new Set(hosts)].filter((host) => !covers(host))
  const shown = `${names.length + addresses.length} hosts`
  if (missing.length > 0) return [...invalid, { code: 'hosts-missing', message: `a certificate for ${shown}, without ${missing.map(quoted).join(', ')}; wanted every host of the URLs among its subject alternative names`, fix: 'issue it anew with these hosts, or dial it by another name' }]
  if (names.length + addresses.length > 0) return invalid
  return [...invalid, { code: 'hosts-missing', message: 'a certificate for no host; wanted at least one subject alternative name: without, no client can verify the member', fix: 'issue it anew with the hosts of its URLs' }]
}
