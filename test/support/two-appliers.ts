/** Two who apply to one store at once, the policies that they apply, and the laws of what becomes of it. */
import { expect } from 'vitest'
import { EtcdAuth, planAuth, type Api, type Applied, type AuthState, type Backend, type Clock, type Plan, type PlanOptions } from '../../src/auth/index.js'
import { isEtcdRbacError, type ErrorCode } from '../../src/errors.js'
import { pattern, prefix, range, read, readwrite, write } from '../../src/keys/index.js'
import { can, definePolicy, get, path, put, type KeyOperation, type Policy } from '../../src/policy/index.js'
import { interleave, oneOf, randomOf, type Taken, type Turn } from './interleaving.js'

/** Both are administrators, each of an own name. */
export const appliers = ['root', 'admin'] as const
export type ApplierName = (typeof appliers)[number]

/** Milliseconds. Who waits for a turn waits for all that others do. */
const DEADLINE = 60_000
const users = { root: 'certificate', admin: 'certificate', alice: 'certificate', bob: 'certificate' } as const
const administrators = { root: ['root'], admin: ['root'] } as const

/** What a store may hold before. */
const before: Policy = definePolicy({
  users,
  v3: { roles: { app: [readwrite(prefix('/app/'))], old: [read(prefix('/old/'))] }, bindings: { ...administrators, alice: ['app'], bob: ['old'] } },
  v2: { guest: [], roles: { app: [readwrite(pattern('/app/*'))], old: [read(pattern('/old/*'))] }, bindings: { ...administrators, alice: ['app'], bob: ['old'] } },
})

/** Two policies that agree on no role and on no binding: permissions of other types, twins with one start key, users and a role of which the other knows nothing. */
export const one: Policy = definePolicy({
  users: { ...users, carol: 'certificate', auditor: 'password' },
  v3: {
    roles: { app: [read(prefix('/app/')), write(prefix('/drop/'))], log: [read(prefix('/log/')), readwrite(range('/log/', '/log/m'))], node: [readwrite(prefix('/node/'))] },
    bindings: { ...administrators, alice: ['app', 'log'], bob: ['log'], carol: ['node'], auditor: ['log'] },
  },
  v2: {
    guest: [read(pattern('/pub/*'))],
    roles: { app: [read(pattern('/app/*')), write(pattern('/drop/*'))], log: [read(pattern('/log/*')), readwrite(pattern('/log/m/*'))], node: [readwrite(pattern('/node/*'))] },
    bindings: { ...administrators, alice: ['app', 'log'], bob: ['log'], carol: ['node'], auditor: ['log'] },
  },
})
const other: Policy = definePolicy({
  users: { ...users, dave: 'certificate', auditor: 'password' },
  v3: {
    roles: { app: [readwrite(prefix('/app/')), read(prefix('/drop/'))], log: [write(prefix('/log/')), read(range('/log/', '/log/m'))], extra: [readwrite(prefix('/extra/'))], old: [read(prefix('/old/'))] },
    bindings: { ...administrators, alice: ['log', 'old'], bob: ['app', 'extra'], dave: ['extra', 'old'], auditor: ['app'] },
  },
  v2: {
    guest: [],
    roles: { app: [readwrite(pattern('/app/*')), read(pattern('/drop/*'))], log: [write(pattern('/log/*')), read(pattern('/log/m/*'))], extra: [readwrite(pattern('/extra/*'))], old: [read(pattern('/old/*'))] },
    bindings: { ...administrators, alice: ['log', 'old'], bob: ['app', 'extra'], dave: ['extra', 'old'], auditor: ['app'] },
  },
})

/** What differs from what stands by the type of one permission: v3 replaces it in place, so that the last word stands, whoever says it. */
const retyped = (type: 'read' | 'write'): Policy => {
  const { v3, v2 } = before
  return definePolicy({
    ...before,
    v3: { ...v3, roles: { ...v3?.roles, app: [{ type, keys: prefix('/app/') }] } },
    v2: { ...v2, roles: { ...v2?.roles, app: [{ type: type === 'write' ? 'readwrite' : type, keys: pattern('/app/*') }] } },
  } as never)
}

export const kinds = ['the same policy', 'different policies', 'policies that overwrite each other'] as const
export type Kind = (typeof kinds)[number]
const policiesOf: Readonly<Record<Kind, Readonly<Record<ApplierName, Policy>>>> = {
  'the same policy': { root: one, admin: one },
  'different policies': { root: one, admin: other },
  // On v2, where nothing is replaced, the second is what stands.
  'policies that overwrite each other': { root: retyped('read'), admin: retyped('write') },
}

/** Who may be asked: everybody in any of the policies who has a certificate. */
export const everybody: Policy = definePolicy({ users: { ...users, carol: 'certificate', dave: 'certificate' }, members: ['etcd-0'], authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'] })

const keys = ['/app/x', '/drop/x', '/log/a', '/log/m/x', '/log/z', '/node/x', '/extra/x', '/old/x']
const operationsOf: Readonly<Record<Api, readonly KeyOperation[]>> = { v3: keys.flatMap((key) => [get(key), put(key)]), v2: keys.flatMap((key) => [get(path(key)), put(path(key))]) }
/** To each user afterwards, of all that could be asked. */
const QUESTIONS = 4

/** The store that both write to. */
export interface Shared {
  readonly api: Api
  /** Connected as that user, each call in its turn where one is given. */
  readonly backend: (user: ApplierName, turn?: Turn) => Backend
  readonly clock: Clock
  /** Really asks for an operation. */
  readonly attempt: (user: string, operation: KeyOperation) => Promise<boolean>
}

/** What an interleaving came to. */
export interface Raced {
  readonly order: readonly Taken[]
  readonly ends: Readonly<Record<ApplierName, 'applied' | ErrorCode>>
  /** Whether each wrote before the other had written for the last time. */
  readonly isMixed: boolean
  /** Whether somebody read back, and reported success, while the other wrote. */
  readonly isTorn: boolean
}

/** The codes that may come of another writer; the others of `apply` tell of no server, no right or bad input. */
const CODES: readonly ErrorCode[] = ['ERR_PLAN_STALE', 'ERR_READ_BACK', 'ERR_SERVER']

/** The lists that a read-back wants, and the calls that read what they name. */
const LISTS: Readonly<Record<Api, readonly RegExp[]>> = { v3: [/^(authStatus|authenticate)$/, /^userList$/, /^roleList$/], v2: [/^GET \/v2\/auth\/enable$/, /^GET \/v2\/auth\/users$/, /^GET \/v2\/auth\/roles$/] }
/** The writes after which one of the two could be root no longer, or auth be on. */
const RIGHT_OF_WRITERS = /\b(root|admin)$|\b(root|admin) |enable/i
const PART = /^(?:GET \/v2\/auth\/|)(user|role)(?:s\/|Get )(.+)$/

/** Lets two apply to an empty store, or to one that holds another policy, and holds what comes of it against the laws. */
export async function raceOf(kind: Kind, seed: number, shared: Shared): Promise<Raced> {
  const random = randomOf(~seed)
  const isEmpty = random() < 0.5 && kind !== 'policies that overwrite each other'
  const options: PlanOptions = { unmanaged: oneOf(random, ['remove', 'report']), enable: true, acknowledgePasswordsInLog: true, acknowledgeOpenV2: true }
  const policies = policiesOf[kind]
  const { api, clock } = shared
  const as = (user: ApplierName, turn?: Turn): EtcdAuth => new EtcdAuth(shared.backend(user, turn), { identity: { user }, deadlineMilliseconds: DEADLINE, clock })
  const passwordsOf = ({ needsPassword }: Plan): Readonly<Record<string, string>> => Object.fromEntries(needsPassword.map((user) => [user, 'the same password for both']))
  const apply = async (user: ApplierName, policy: Policy): Promise<void> => {
    const plan = await as(user).plan(policy, options)
    await as(user).apply(plan, { passwords: passwordsOf(plan) })
  }
  if (!isEmpty) await apply('root', before)

  // Both have planned for the same store.
  const plans = { root: await as('root').plan(policies.root, options), admin: await as('admin').plan(policies.admin, options) }
  const [store, context] = [shared.backend('root'), { clock, deadlineMilliseconds: DEADLINE, user: 'root', signal: undefined }]
  /** What the store held of a user or a role when somebody read it. */
  const held = new Map<number, unknown>()
  const ends = new Map<string, { readonly at: number; readonly state: AuthState }>()
  const start = (user: ApplierName) => (turn: Turn): Promise<Applied> => as(user, turn).apply(plans[user], { passwords: passwordsOf(plans[user]) })
  const { order, results } = await interleave(seed, { root: start('root'), admin: start('admin') }, {
    taken: async ({ call, kind: does }, at) => {
      const [, part, name = ''] = PART.exec(call) ?? []
      if (does === 'read' && part !== undefined) held.set(at, await (part === 'user' ? store.readUser(name, context) : store.readRole(name, context)))
      // Whoever writes is root from the moment on at which it matters.
      if (does === 'write' && RIGHT_OF_WRITERS.test(call) && (await store.readEnabled(context))) for (const user of appliers) expect(await store.readUser(user, context), `${user} after call ${String(at)}, ${call}`).toEqual(['root'])
    },
    ended: async (by, at) => void ends.set(by, { at, state: await as('root').state() }),
  })

  const placesOf = (which: (taken: Taken) => boolean): readonly number[] => order.flatMap((taken, at) => (which(taken) ? [at] : []))
  const writes = placesOf(({ kind: does }) => does === 'write')
  const writesOf = (user: string): readonly number[] => writes.filter((at) => order[at]?.by === user)
  const outcomes: [ApplierName, 'applied' | ErrorCode][] = []
  let isTorn = false
  for (const user of appliers) {
    const [result, end] = [results.get(user)!, ends.get(user)!]
    // What has ended is not going on behind.
    expect(writesOf(user).filter((at) => at >= end.at)).toEqual([])
    if (result.status === 'rejected') {
      const reason: unknown = result.reason
      if (!isEtcdRbacError(reason)) throw new Error(`${user} failed with what is no error of the library`, { cause: reason })
      expect(CODES, `${user} failed with ${reason.message}`).toContain(reason.code)
      outcomes.push([user, reason.code])
      continue
    }
    const { state } = result.value as Applied
    outcomes.push([user, 'applied'])
    // What it read back is the policy, no more and no less.
    expect(planAuth(state, policies[user], options, { user }, clock.now())).toMatchObject({ outcome: 'in sync', steps: [], blockers: [] })
    // All of it was read after its last write, and as the store held it at that moment.
    const last = writesOf(user).at(-1) ?? -1
    const back = placesOf(({ by }) => by === user).filter((at) => at > last)
    for (const list of LISTS[api]) expect(back.some((at) => list.test(order[at]!.call)), `${user} read ${String(list)} back`).toBe(true)
    for (const part of ['user', 'role'] as const) {
      for (const [name, found] of Object.entries(state[`${part}s`])) {
        const when = back.findLast((at) => PART.exec(order[at]!.call)?.slice(1).join() === `${part},${name}`)
        expect(when, `when ${user} read ${part} ${name} back`).toBeDefined()
        expect(found, `${part} ${name} at call ${String(when)}`).toEqual(held.get(when!))
      }
    }
    // Where nobody wrote meanwhile, the store held the whole of it when it had been read.
    const isDisturbed = writes.some((at) => at > back[0]! && at < end.at)
    if (isDisturbed) isTorn = true
    else expect(end.state).toEqual(state)
  }
  const ended = Object.fromEntries(outcomes) as Raced['ends']

  // Whoever wrote last has read back what stays. To the other, if its policy is another, that is drift, whoever ended first.
  const winner = order[writes.at(-1)!]!.by as ApplierName
  const loser = winner === 'root' ? 'admin' : 'root'
  if (ended[winner] === 'applied') {
    expect((await as(winner).drift(policies[winner])).outcome).toBe('in sync')
    if (ended[loser] === 'applied') expect((await as(loser).drift(policies[loser])).outcome).toBe(kind === 'the same policy' ? 'in sync' : 'drift')
  }

  // Alone, each of them finishes what both have begun, and everybody has what its policy gives.
  const [finisher, idle] = oneOf(random, [['root', 'admin'], ['admin', 'root']] as const)
  const goal = policies[finisher]
  await apply(finisher, goal)
  expect((await as(finisher).plan(goal, options)).outcome).toBe('in sync')
  await as(idle).state()
  const allowed = (policy: Policy, user: string, operation: KeyOperation): boolean => Object.hasOwn(policy.users, user) && can(policy, user, operation)
  for (const user of ['alice', 'bob', 'carol', 'dave']) {
    for (let asked = 0; asked < QUESTIONS; asked++) {
      const operation = oneOf(random, operationsOf[api])
      const [found, said] = [await shared.attempt(user, operation), allowed(goal, user, operation)]
      // Whom only the other policy names stays, where it is only reported, with what that one gives.
      const mayStay = options.unmanaged === 'report' && !Object.hasOwn(goal.users, user) && allowed(policies[idle], user, operation)
      if (found !== said && !(found && mayStay)) throw new Error(`${user} ${found ? 'may' : 'may not'} ${JSON.stringify(operation)}`)
    }
  }
  const [[first = Infinity, ...ours], [second = Infinity, ...theirs]] = appliers.map(writesOf) as [readonly number[], readonly number[]]
  return { order, ends: ended, isMixed: first < (theirs.at(-1) ?? second) && second < (ours.at(-1) ?? first), isTorn }
}

const drawn = Math.trunc(Math.random() * 2 ** 31)

/** Seeds of so many interleavings: as they were drawn, from an offset on, or those that `RACE_SEED` (the first) and `RACE_RUNS` (how many) ask for. */
export function seedsOf(runs: number, offset = 0): readonly number[] {
  const { RACE_SEED = drawn + offset, RACE_RUNS = runs } = process.env
  return Array.from({ length: Number(RACE_RUNS) }, (_, index) => Number(RACE_SEED) + index)
}

/** Runs an interleaving; what breaks a law says by which seed it does so again. */
export async function repeatable<T>(seed: number, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw new Error(`RACE_SEED=${String(seed)} RACE_RUNS=1 does this again: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** How often each end came, in words, for whoever reads the log. */
export function tallyOf(raced: readonly Raced[]): string {
  const counts = new Map<string, number>()
  const add = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1)
  for (const { ends, isMixed, isTorn } of raced) {
    add(Object.values(ends).sort().join(' + '))
    if (isMixed) add('both wrote in turn')
    if (isTorn) add('one read back while the other wrote')
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => `${what}: ${String(count)}`).join(', ')
}
