/**
 * A policy as an etcdctl script, for whoever may run nothing else against an etcd.
 *
 * etcdctl/ctlv3/command/{role,user,auth}_command.go and etcdctl/ctlv2/command/{role,user}_commands.go. Flags stand before `--`, so that no name or
 * key is taken for one. Planning and applying does more: it writes only differences, in a safe order, and checks what it did.
 */
import { parseVersion } from '../../advisories/version.js'
import { utf8 } from '../../bytes.js'
import { EtcdRbacError, quoted } from '../../errors.js'
import { toWire } from '../../keys/interval.js'
import type { KeyRange } from '../../keys/key-range.js'
import type { PathPattern } from '../../keys/pattern.js'
import type { Permission } from '../../keys/permission.js'
import { byScope } from '../../keys/scope.js'
import { showKeys } from '../../keys/show.js'
import { rolesOf } from '../rights.js'
import type { Policy } from '../policy.js'
import { bytesWord, quotedWord } from './shell.js'

/** For which etcdctl. */
export interface EtcdctlOptions {
  readonly api: 'v2' | 'v3'
  /** The release of etcd, such as `'3.5.30'`, and of the etcdctl that comes with it. */
  readonly version: string
  /** Whether the script turns auth on at its end. */
  readonly enable: boolean
}

/** What a script is made with: a command, or a reason why there is none. */
interface Pen {
  readonly lines: string[]
  readonly refuse: (reason: string) => void
}

/**
 * One half of a policy as lines of a POSIX shell script: roles, permissions, users, bindings, and auth last. It is for a store that has none of
 * them, and stops at the first error: what a script that was cut has left, planning and applying finishes. No password is in it: etcdctl asks for
 * them, so that it is to be run from a file; through a pipe it makes no user with a password. Users that log in by certificate get none, where etcd
 * can do so (v3, from 3.4 on), a random one that nobody sees on v3 of 3.3, and on v2 one that is asked for.
 *
 * @throws {@link EtcdRbacError} `ERR_RENDER_REFUSED` where etcdctl cannot say it, with every reason; `ERR_POLICY_HALF_MISSING`; `ERR_VERSION_UNSUPPORTED`
 * @example
 * ```ts
 * import { definePolicy, prefix, readwrite, toEtcdctl } from 'etcd-rbac'
 * const policy = definePolicy({
 *   users: { root: 'certificate', app: 'password' },
 *   v3: { roles: { app: [readwrite(prefix('/app/'))] }, bindings: { root: ['root'], app: ['app'] } },
 * })
 * console.log(toEtcdctl(policy, { api: 'v3', version: '3.5.30', enable: true }).join('\n'))
 * ```
 */
export function toEtcdctl(policy: Policy, { api, version, enable }: EtcdctlOptions): readonly string[] {
  const { minor } = parseVersion(version)
  if (typeof enable !== 'boolean') throw new TypeError('enable must be true or false')
  if (policy[api] === undefined)
    throw new EtcdRbacError('ERR_POLICY_HALF_MISSING', { found: `a policy without ${api} half`, wanted: `what users may do on the ${api} API`, fix: `add ${api} to the policy` }, { api })
  if (api === 'v2' && minor > 5)
    throw new EtcdRbacError('ERR_VERSION_UNSUPPORTED', { found: `etcd ${version}`, wanted: 'a release with a v2 API, 3.3 to 3.5', fix: 'export the v3 half' }, { version, wanted: '3.3 to 3.5' })

  const reasons: string[] = []
  const lines = ['#!/bin/sh', '# For a store without these users and roles. etcdctl takes endpoints and certificates from its environment.', 'set -eu']
  // A group is read to its end before it is run: piped into a shell, the rest of the script would be taken for passwords that are asked for.
  lines.push('{')
  if (api === 'v2') lines.push('export ETCDCTL_API=2')
  else if (minor < 4) lines.push('export ETCDCTL_API=3')
  const pen: Pen = { lines, refuse: (reason) => void reasons.push(reason) }
  if (api === 'v3') writeV3(policy, minor, pen)
  else writeV2(policy, pen)
  if (enable) {
    const root = Object.hasOwn(policy.users, 'root') && (api === 'v2' || rolesOf(policy.v3?.bindings ?? {}, 'root').includes('root'))
    if (!root) pen.refuse('etcd enables auth only if a user named root holds role root, and the policy has none')
    lines.push('etcdctl auth enable')
  }
  lines.push('}')
  if (reasons.length > 0) {
    const reason = reasons.join('; ')
    throw new EtcdRbacError('ERR_RENDER_REFUSED', { found: `a policy that etcdctl cannot write: ${reason}`, wanted: 'what its commands can say', fix: 'plan and apply the policy instead' }, { reason })
  }
  return lines
}

/** Draws a password that nobody sees, and stops the script where that fails: `set -e` does not look into a pipeline. */
const DRAWN: readonly string[] = ["drawn=$(head -c 32 /dev/urandom | base64 | tr -d '\\n')", '[ "${#drawn}" -eq 44 ]']

function writeV3({ users, v3 = { roles: {}, bindings: {} } }: Policy, minor: number, { lines, refuse }: Pen): void {
  const roles = Object.entries(v3.roles)
  if (Object.values(v3.bindings).some((held) => held.includes('root'))) lines.push('etcdctl role add root')
  for (const [role, permissions] of roles) {
    lines.push(`etcdctl role add -- ${quotedWord(role)}`)
    for (const { type, keys } of byScope<KeyRange>(permissions).values()) {
      const words = grantWords(keys, minor)
      if (words === undefined) refuse(`${showKeys(keys)} of role ${quoted(role)} cannot be passed to a command`)
      else lines.push(`etcdctl role grant-permission ${words.flag}-- ${quotedWord(role)} ${type} ${words.keys}`)
    }
  }
  for (const [user, login] of Object.entries(users)) {
    const name = quotedWord(user)
    const silent = login === 'certificate' && minor >= 4
    if (user.includes(':') && !silent) refuse(`user ${quoted(user)} holds ":", which etcdctl takes for the mark before a password`)
    else if (silent) lines.push(`etcdctl user add --no-password -- ${name}`)
    // No user without password before 3.4: an empty one would open it to everybody.
    else if (login === 'certificate') lines.push(...DRAWN, `printf '%s\\n' "$drawn" | etcdctl user add --interactive=false -- ${name}`)
    else lines.push(`etcdctl user add -- ${name}`)
    for (const role of rolesOf(v3.bindings, user)) lines.push(`etcdctl user grant-role -- ${name} ${quotedWord(role)}`)
  }
}

/** The keys of a grant as words, or `undefined` where no word can be them. An open end is a flag: as a word it would be a zero byte. */
function grantWords(keys: KeyRange, minor: number): { readonly flag: string; readonly keys: string } | undefined {
  // Of an empty key, etcdctl makes every key from 3.4 on; what it did before is not established.
  if (keys.kind === 'allKeys') return minor < 4 ? undefined : { flag: '--prefix ', keys: "''" }
  const { key, rangeEnd } = toWire(keys)
  const start = bytesWord(key)
  if (start === undefined) return undefined
  if (keys.kind === 'prefix') return { flag: '--prefix ', keys: start }
  if (keys.kind === 'fromKey') return { flag: '--from-key ', keys: start }
  if (rangeEnd.length === 0) return { flag: '', keys: start }
  const end = bytesWord(rangeEnd)
  return end === undefined ? undefined : { flag: '', keys: `${start} ${end}` }
}

function writeV2({ users, v2 = { guest: [], roles: {}, bindings: {} } }: Policy, { lines, refuse }: Pen): void {
  // First of all: without a guest, enabling auth makes one that may do everything.
  const roles: readonly (readonly [string, readonly Permission<PathPattern>[]])[] = [['guest', v2.guest], ...Object.entries(v2.roles)]
  for (const [role, permissions] of roles) {
    lines.push(`etcdctl role add -- ${quotedWord(role)}`)
    for (const { type, keys } of byScope(permissions).values()) {
      const path = bytesWord(utf8(keys.pattern))
      // Nor does etcdctl 2 take a path that does not begin with a slash (pathutil.CanonicalURLPath).
      if (keys.pattern === '*' || path === undefined) refuse(`pattern ${quoted(keys.pattern)} of role ${quoted(role)} is refused by etcdctl`)
      else lines.push(`etcdctl role grant --path ${path} --${type} -- ${quotedWord(role)}`)
    }
  }
  for (const [user, login] of Object.entries(users)) {
    const name = quotedWord(user)
    if (user.includes(':')) refuse(`user ${quoted(user)} holds ":", which etcdctl takes for the mark before a password`)
    if (login === 'certificate') lines.push('# Logs in by certificate: give it a long random password, and forget it.')
    // The five seconds that are its default run while the password is typed (ctlv2/command/user_commands.go, actionUserAdd).
    lines.push(`etcdctl --total-timeout 10m user add -- ${name}`)
    for (const role of rolesOf(v2.bindings, user)) {
      if (role.includes(',')) refuse(`role ${quoted(role)} holds ",", which etcdctl takes for the mark between roles`)
      // etcd gives user root its role itself, and refuses to be told.
      else if (user !== 'root' || role !== 'root') lines.push(`etcdctl user grant --roles ${quotedWord(role)} -- ${name}`)
    }
  }
}
