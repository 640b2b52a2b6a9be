/** Single writes without a policy, for scripts: each looks first, does what is missing, and says which of both it was. */
import { EtcdRbacError, isEtcdRbacError } from '../errors.js'
import { checkFields } from '../known-fields.js'
import type { Permission } from '../keys/permission.js'
import { scopeOf } from '../keys/scope.js'
import type { Login } from '../policy/policy.js'
import { passwordWayProblems } from './backend.js'
import { checkStep } from './check-step.js'
import { permissionSteps } from './difference.js'
import { enablingProblems } from './enabling-problems.js'
import { holdingsIn } from './holdings.js'
import { identityProblems } from './identity.js'
import { needProblems } from './needs.js'
import { openV2Problems } from './open-v2.js'
import { drawsPasswords, logsPasswords, passwordsInLog } from './password-log.js'
import { checkPassword } from './passwords.js'
import { checkNames, checkNeeds } from './plan-options.js'
import { takes } from './plan.js'
import { perform, proveRoot, type Applier } from './perform.js'
import { holds, readState } from './read.js'
import type { AuthState, StoredPermission } from './state.js'
import type { Write } from './step.js'
import { few, visible } from './visible.js'
import { byScope } from './wanted.js'
import type { EnableOptions, NewUser, PasswordOptions, Written } from './written.js'

type Unexplained<W> = W extends unknown ? Omit<W, 'reason'> : never

/** The writes of one store. */
export class Direct {
  readonly #applier: Applier
  #last: Promise<unknown> = Promise.resolve()

  constructor(applier: Applier) {
    this.#applier = applier
  }

  /** One after the other where one of two writes that meet is lost, each with the look that decides what is written; as they come elsewhere. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#applier.backend.writesAtOnce > 1) return work()
    const mine = this.#last.then(work)
    this.#last = mine.catch(() => undefined)
    return mine
  }

  async #write(step: Unexplained<Write>, password?: string): Promise<'done' | 'found'> {
    const { backend, context } = this.#applier
    const version = step.do === 'addUser' ? await backend.readVersion(context) : undefined
    const write: Write = { ...step, reason: 'asked for' }
    const { outcome } = await perform(this.#applier, write, password, version)
    // There, a success means nothing before it has been looked at. No store tells a password.
    const isLost = backend.writesAtOnce === 1 && step.do !== 'setPassword' && step.do !== 'dropPassword' && !(await holds(backend, write, context))
    if (isLost) throw new EtcdRbacError('ERR_READ_BACK', { found: 'a write that was answered with success and is not there', wanted: 'what was written', fix: 'look who else writes to this etcd, then do it again' }, { differences: [`lost: ${step.do}`] })
    return outcome
  }

  #check(step: Unexplained<Write>): void {
    checkStep(this.#applier.backend.api, { ...step, reason: '' })
  }

  async #userRoles(user: string): Promise<readonly string[]> {
    const { backend, context } = this.#applier
    return (await backend.readUser(user, context)) ?? notFound('user', user)
  }

  async #permissions(role: string): Promise<readonly StoredPermission[]> {
    const { backend, context } = this.#applier
    return (await backend.readRole(role, context)) ?? notFound('role', role)
  }

  /** Root and the caller must not lose what they administer by. */
  #refuseLockOut(user: string, what: string): void {
    const own = this.#applier.identity.user
    if (user === 'root' || user === own) throw refused(`${what}, ${user === 'root' ? 'without whom nobody administers this store' : 'as whom you are connected'}`)
  }

  async #refusePasswordInLog({ acknowledgePasswordsInLog = false }: PasswordOptions, login: Login = 'password'): Promise<void> {
    if (typeof acknowledgePasswordsInLog !== 'boolean') throw new TypeError('acknowledgePasswordsInLog must be true or false')
    if (acknowledgePasswordsInLog) return
    const { backend, context } = this.#applier
    const release = { version: await backend.readVersion(context), ...(backend.versionOf && { versionOf: backend.versionOf }) }
    if (login === 'password' ? logsPasswords(backend.api, release) : drawsPasswords(backend.api, release)) throw refused(`${passwordsInLog(release)}: acknowledge it (acknowledgePasswordsInLog)${login === 'password' ? ', or let the user log in by certificate' : ': a user without one is not known to that release'}`)
  }

  async addUser(user: string, options: NewUser): Promise<Written<'created'>> {
    checkFields(options, ['login', 'password', 'acknowledgePasswordsInLog'], 'the options of addUser')
    const { login } = (options as Partial<NewUser> | undefined) ?? {}
    if (login !== 'certificate' && login !== 'password') throw new TypeError("login must be 'certificate' or 'password'")
    if (login === 'certificate' && (options as { readonly password?: unknown }).password !== undefined) throw new TypeError('a user who logs in by certificate is given no password: leave it away, or let the user log in by password')
    const step = { do: 'addUser', user, login } as const
    this.#check(step)
    const password = options.login === 'password' ? options.password : undefined
    if (options.login === 'password') checkPassword(user, options.password)
    const { backend, context } = this.#applier
    return this.#inTurn(async () => {
      if ((await backend.readUser(user, context)) !== undefined) return { outcome: 'unchanged' }
      await this.#refusePasswordInLog(options, login)
      return { outcome: (await this.#write(step, password)) === 'done' ? 'created' : 'unchanged' }
    })
  }

  async deleteUser(user: string): Promise<Written<'deleted'>> {
    const step = { do: 'deleteUser', user } as const
    this.#check(step)
    this.#refuseLockOut(user, `deleting user ${visible(user)}`)
    const { backend, context } = this.#applier
    return this.#inTurn(async () => {
      const held = await backend.readUser(user, context).catch((error: unknown) => {
        if (!isEtcdRbacError(error, 'ERR_UNREADABLE')) throw error
        return []
      })
      if (held === undefined) return { outcome: 'unchanged' }
      await this.#write(step)
      return { outcome: 'deleted', sever: { user } }
    })
  }

  async setPassword(user: string, password: string, options: PasswordOptions): Promise<Written<'changed'>> {
    const step = { do: 'setPassword', user } as const
    this.#check(step)
    checkPassword(user, password)
    return this.#newPassword(step, options, password)
  }

  async dropPassword(user: string, options: PasswordOptions): Promise<Written<'changed'>> {
    const step = { do: 'dropPassword', user } as const
    this.#check(step)
    if (this.#applier.backend.byPassword?.user === user) throw refused(`dropping the password of user ${visible(user)}, by which you are connected`)
    return this.#newPassword(step, options)
  }

  #newPassword(step: { readonly do: 'setPassword' | 'dropPassword'; readonly user: string }, options: PasswordOptions, password?: string): Promise<Written<'changed'>> {
    return this.#inTurn(async () => {
      await this.#userRoles(step.user)
      await this.#refusePasswordInLog(options)
      await this.#write(step, password)
      return { outcome: 'changed', sever: { user: step.user } }
    })
  }

  async addRole(role: string): Promise<Written<'created'>> {
    const step = { do: 'addRole', role } as const
    this.#check(step)
    const { backend, context } = this.#applier
    return this.#inTurn(async () => {
      if ((await backend.readRole(role, context)) !== undefined) return { outcome: 'unchanged' }
      return { outcome: (await this.#write(step)) === 'done' ? 'created' : 'unchanged' }
    })
  }

  async deleteRole(role: string): Promise<Written<'deleted'>> {
    const step = { do: 'deleteRole', role } as const
    this.#check(step)
    if (role === 'root') throw refused('deleting role root, by which this store is administered')
    const { backend, context } = this.#applier
    if (backend.api === 'v2' && role === 'guest') throw refused('deleting role guest: etcd makes one, by which everybody may do everything, when auth is next turned on; take from it what it grants (revokePermission)')
    return this.#inTurn(async () => {
      if ((await backend.readRole(role, context)) === undefined) return { outcome: 'unchanged' }
      await this.#write(step)
      return { outcome: 'deleted', sever: { holdersOf: role } }
    })
  }

  async grantPermission(role: string, permission: Permission): Promise<Written<'changed'>> {
    if (typeof permission !== 'object' || (permission as unknown) === null) throw new TypeError('a permission is made by read, write or readwrite')
    this.#check({ do: 'grantPermission', role, permission, replaces: undefined })
    if (role === 'root') throw refused('granting role root a permission: it may do everything without')
    const scope = scopeOf(permission.keys)
    return this.#inTurn(async () => {
      const stored = await this.#permissions(role)
      const units = permissionSteps(role, stored, new Map([...byScope(stored), [scope, permission]]))
      const steps = units.filter((unit) => unit.some((step) => 'permission' in step && scopeOf(step.permission.keys) === scope)).flat()
      for (const step of steps) await this.#write(step)
      const isLess = takes(byScope(stored).get(scope)?.type, permission.type)
      return { outcome: steps.length === 0 ? 'unchanged' : 'changed', ...(isLess ? { sever: { holdersOf: role } } : {}) }
    })
  }

  async revokePermission(role: string, keys: Permission['keys']): Promise<Written<'changed'>> {
    if (typeof keys !== 'object' || (keys as unknown) === null) throw new TypeError('keys are made by key, prefix, range, fromKey or allKeys, and on v2 by pattern')
    const given = { do: 'revokePermission', role, permission: { type: 'readwrite', keys } } as const
    this.#check(given)
    return this.#inTurn(async () => {
      const held = (await this.#permissions(role)).filter((permission) => scopeOf(permission.keys) === scopeOf(keys))
      const [first] = held
      if (first === undefined) return { outcome: 'unchanged' }
      await this.#write({ do: 'revokePermission', role, permission: byScope(held).get(scopeOf(keys)) ?? first })
      return { outcome: 'changed', sever: { holdersOf: role } }
    })
  }

  async grantRole(user: string, role: string): Promise<Written<'changed'>> {
    const step = { do: 'bindRole', user, role } as const
    this.#check(step)
    const { api } = this.#applier.backend
    return this.#inTurn(async () => {
      if ((await this.#userRoles(user)).includes(role)) return { outcome: 'unchanged' }
      // Role root is there in v2, and in v3 whoever is bound to it holds it only where it is.
      if (!(api === 'v2' && role === 'root')) await this.#permissions(role)
      await this.#write(step)
      return { outcome: 'changed' }
    })
  }

  async revokeRole(user: string, role: string): Promise<Written<'changed'>> {
    const step = { do: 'unbindRole', user, role } as const
    this.#check(step)
    if (role === 'root') this.#refuseLockOut(user, `taking role root from user ${visible(user)}`)
    return this.#inTurn(async () => {
      if (!(await this.#userRoles(user)).includes(role)) return { outcome: 'unchanged' }
      await this.#write(step)
      return { outcome: 'changed', sever: { user } }
    })
  }

  async enable(options: EnableOptions): Promise<Written<'changed'>> {
    checkFields(options, ['acknowledgeRoot', 'acknowledgeOpenV2', 'needs', 'hiddenUsers'], 'the options of enable')
    const { acknowledgeRoot = [], acknowledgeOpenV2 = false, needs = {}, hiddenUsers = [] } = options
    if (typeof acknowledgeOpenV2 !== 'boolean') throw new TypeError('acknowledgeOpenV2 must be true or false')
    for (const [what, names] of Object.entries({ acknowledgeRoot, hiddenUsers })) checkNames(names, what)
    checkNeeds(needs)
    const { backend, identity, context } = this.#applier
    const read = (): Promise<AuthState> => readState(backend, context, { hiddenUsers })
    return this.#inTurn(async () => {
      const state = await read()
      if (state.enabled) return { outcome: 'unchanged' }
      const blockers = [
        ...identityProblems(identity, context.clock.now()),
        ...passwordWayProblems(backend, { enabling: true }),
        ...enablingProblems(state, identity, acknowledgeRoot),
        ...openV2Problems(state, options),
        ...needProblems(state.api, holdingsIn(state), needs),
      ]
      if (blockers.length > 0) throw refused(few(blockers))
      await this.#write({ do: 'enable' })
      await proveRoot(this.#applier)
      const after = enablingProblems(await read(), identity, acknowledgeRoot)
      if (after.length > 0) throw new EtcdRbacError('ERR_READ_BACK', { found: `a store that changed while auth was turned on: ${few(after)}`, wanted: 'what was looked at before', fix: 'look who made them, and delete whom you do not know: auth is on' }, { differences: after })
      return { outcome: 'changed', sever: 'everyone' }
    })
  }

  async disable(): Promise<Written<'changed'>> {
    const { backend, context } = this.#applier
    return this.#inTurn(async () => {
      if (!(await backend.readEnabled(context))) return { outcome: 'unchanged' }
      await this.#write({ do: 'disable' })
      return { outcome: 'changed' }
    })
  }
}

function refused(reason: string): EtcdRbacError<'ERR_WRITE_REFUSED'> {
  return new EtcdRbacError('ERR_WRITE_REFUSED', { found: reason, wanted: 'a write that locks nobody out and nobody in', fix: 'nothing was written; correct it, or plan from a policy' }, { reason })
}

function notFound(kind: 'user' | 'role', name: string): never {
  throw new EtcdRbacError('ERR_NOT_FOUND', { found: `no ${kind} ${visible(name)} in this store`, wanted: `one that is there`, fix: `add the ${kind} first, or correct its name` }, { kind, name })
}
