/**
 * What a step names, looked at before anything is sent. An empty role name kills a 3.3 for good, and what other versions store grants nothing or something
 * else: a step may come from a plan that was kept as JSON, or from a caller of a backend.
 */
import { EtcdRbacError, quoted } from '../errors.js'
import { isWellFormed } from '../bytes.js'
import { toWire } from '../keys/interval.js'
import { checkName } from '../names.js'
import { checkedPattern, checkedRange } from '../policy/checked-keys.js'
import type { Api, StoredPermission } from './state.js'
import type { Write } from './step.js'

/**
 * Refuses a step that must not be sent. What is made or granted must be what a policy may hold; what is taken away may have any name and any keys that
 * etcd gave it, but none that is empty.
 *
 * @throws {@link EtcdRbacError} `ERR_NAME_INVALID`, and for what is granted `ERR_KEY_INVALID`, `ERR_RANGE_EMPTY`, `ERR_PREFIX_UNTERMINATED`,
 * `ERR_PATTERN_INVALID` or `ERR_POLICY_INVALID`; `TypeError` for a step, login or permission type that is none
 */
export function checkStep(api: Api, step: Write): void {
  switch (step.do) {
    case 'enable':
    case 'disable':
      return
    case 'setPassword':
    case 'dropPassword':
      checkFound('user', step.user)
      return
    case 'addUser':
      checkName('user', step.user)
      oneOf(step.login, ['certificate', 'password'], 'the login of a user')
      if (step.roles === undefined) return
      if (api === 'v3') throw new TypeError('etcd v3 makes users without roles, who are bound afterwards')
      if (!Array.isArray(step.roles) || step.roles.length === 0) throw new TypeError('the roles of a user must be a list of names, left away for none')
      for (const role of step.roles as readonly string[]) checkName('role', role)
      return
    case 'addRole':
      checkName('role', step.role)
      return
    case 'bindRole':
      checkName('user', step.user)
      checkName('role', step.role)
      return
    case 'deleteUser':
      checkFound('user', step.user)
      return
    case 'deleteRole':
      checkFound('role', step.role)
      return
    case 'unbindRole':
      checkFound('user', step.user)
      checkFound('role', step.role)
      return
    case 'grantPermission':
      checkName('role', step.role)
      checkPermission(step.permission)
      checkType(step.permission)
      // JSON has no undefined, and leaves it away.
      if (step.replaces !== undefined) checkType({ type: step.replaces })
      if (api === 'v3') checkedRange(step.permission.keys)
      else checkedPattern(step.permission.keys)
      return
    case 'revokePermission':
      checkFound('role', step.role)
      checkPermission(step.permission)
      if (api === 'v2' || step.permission.type !== 'unknown') checkType(step.permission)
      if (step.permission.keys.api !== api) throw new TypeError(`permissions of the ${api} API are revoked by keys of that API`)
      if (!isStored(api, step.permission.keys)) throw new TypeError('keys are made by key, prefix, range, fromKey or allKeys, and on v2 by pattern')
      return
    default:
      throw new TypeError(`a step that does ${quoted(String((step as { readonly do?: unknown }).do))}`)
  }
}

function checkFound(kind: 'user' | 'role', name: string): void {
  if (typeof name !== 'string') throw new TypeError(`a ${kind}'s name must be a string`)
  if (name !== '' && isWellFormed(name)) return
  throw new EtcdRbacError('ERR_NAME_INVALID', { found: name === '' ? `a ${kind} without name` : `a ${kind} with half of a surrogate pair in its name`, wanted: 'a name that etcd can hold', fix: 'plan again' }, { kind, name })
}

function checkPermission(permission: unknown): void {
  const { keys } = (permission ?? {}) as { readonly keys?: unknown }
  if (typeof keys !== 'object' || keys === null) throw new TypeError('a permission must have a type and keys')
}

/** Whether a store may hold such keys: empty ones too, which no policy may. */
export function isStored(api: Api, keys: StoredPermission['keys'] | null | undefined): boolean {
  if (keys?.api !== api) return false
  if (keys.api === 'v2') return typeof keys.pattern === 'string'
  try {
    toWire(keys)
    return true
  } catch {
    return false
  }
}

function checkType({ type }: Pick<StoredPermission, 'type'>): void {
  oneOf(type, ['read', 'write', 'readwrite'], 'the type of a permission')
}

function oneOf(found: string, known: readonly string[], what: string): void {
  if (!known.includes(found)) throw new TypeError(`${what} must be ${known.map((one) => `'${one}'`).join(' or ')}`)
}
