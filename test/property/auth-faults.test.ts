/** Applying a policy of more than fifty steps, with a fault at each step in turn: nobody gains by it, and planning and applying again ends it. */
import { describe, expect, test } from 'vitest'
import type { Api } from '../../src/auth/index.js'
import { pattern, prefix, type Permission, type PermissionType } from '../../src/keys/index.js'
import { can, definePolicy, get, indexPolicy, path, put, type KeyOperation, type Policy } from '../../src/policy/index.js'
import type { Call } from '../../src/testing/index.js'
import { attemptV2, attemptV3, memoryV3Client } from '../../examples/support/attempt.js'
import { double, isWrite, type Double } from '../unit/auth/doubles.js'
import { settled } from '../support/double.js'

const USERS = 14
const TYPES: readonly PermissionType[] = ['read', 'write', 'readwrite']

/** One of a family of policies: roles with types and keys that change from one to the next, users who move, come and go. */
function policyAt(api: Api, turn: number): Policy {
  const keys = (at: number): Permission['keys'] => (api === 'v3' ? prefix(`/k/${String(at % 14)}/`) : pattern(`/k/${String(at % 14)}/*`))
  const names = Array.from({ length: USERS }, (_, at) => `user-${String(at + turn * 2)}`)
  const roles = Object.fromEntries(
    Array.from({ length: 10 }, (_, at) => [`role-${String(at + turn)}`, [0, 1].map((more) => ({ type: TYPES[(at + more + turn) % 3] ?? 'read', keys: keys(at + more * 5 + turn) }))] as const),
  )
  const bindings = Object.fromEntries(names.map((name, at) => [name, Object.keys(roles).filter((_, role) => (role + at + turn) % 4 === 0)]))
  const half = { roles, bindings: { root: ['root'], ...bindings } }
  return definePolicy({ users: { root: 'certificate', ...Object.fromEntries(names.map((name) => [name, 'certificate'])) }, [api]: api === 'v2' ? { guest: [], ...half } : half } as never)
}

const endpoint = 'https://etcd.invalid:2379'
const operations = (api: Api): readonly KeyOperation[] =>
  Array.from({ length: 14 }, (_, at) => `/k/${String(at)}/x`).flatMap((key) => (api === 'v3' ? [get(key), put(key)] : [get(path(key)), put(path(key))]))

const attempt = ({ etcd }: Double, user: string, operation: KeyOperation): Promise<boolean> => {
  const [client, { keys }] = [etcd.as(user), operation]
  return keys.api === 'v3' ? attemptV3(memoryV3Client(client), operation, keys) : attemptV2(client.fetch, endpoint, operation, keys)
}

const options = { unmanaged: 'remove', enable: true } as const

/** A store that holds the first policy, with auth on. */
async function prepared(api: Api): Promise<Double> {
  const made = double(api, api === 'v2' ? '3.4.23' : '3.5.30')
  await made.auth().apply(await made.auth().plan(policyAt(api, 0), options))
  return made
}

/** Lets an apply end, its deadlines too. */
async function ended({ clock }: Double, applying: Promise<unknown>): Promise<'done' | 'failed'> {
  const state: { end: 'done' | 'failed' | undefined } = { end: undefined }
  applying.then(
    () => (state.end = 'done'),
    () => (state.end = 'failed'),
  )
  while (state.end === undefined) {
    await settled()
    clock.advance(20_000)
  }
  return state.end
}

const faults: readonly (readonly [what: string, put: (made: Double, match: (call: Call) => boolean) => unknown])[] = [
  ['fails before its effect', ({ etcd }, match) => etcd.faults.failBefore(match)],
  ['loses its answer', ({ etcd }, match) => etcd.faults.failAfter(match)],
  ['never answers, and is not done', ({ etcd }, match) => etcd.faults.timeOut(match)],
  ['never answers, and is done', ({ etcd }, match) => etcd.faults.timeOut(match, { applied: true })],
]

describe.each(['v3', 'v2'] as const)('on %s, from one policy to the next', (api) => {
  const [before, after] = [indexPolicy(policyAt(api, 0)), indexPolicy(policyAt(api, 1))]
  const users = Array.from({ length: USERS + 2 }, (_, at) => `user-${String(at)}`)
  const allowed = (index: typeof before, user: string, operation: KeyOperation): boolean => (Object.hasOwn(index.policy.users, user) ? can(index, user, operation) : false)

  test.each(faults)('a write that %s, whichever it is, opens nothing, locks nobody out, and is made good by the next run', { timeout: 120_000 }, async (_, fault) => {
    const steps = (await (await prepared(api)).auth().plan(policyAt(api, 1), options)).steps.length
    expect(steps).toBeGreaterThanOrEqual(50)
    for (let at = 1; at <= steps; at++) {
      const made = await prepared(api)
      const plan = await made.auth().plan(policyAt(api, 1), options)
      let writes = 0
      fault(made, (call) => isWrite(call) && ++writes === at)
      const first = await ended(made, made.auth().apply(plan))
      made.etcd.faults.clear()
      // Where the plan stopped is the same for each kind of fault, so that one is enough to ask everybody.
      for (const user of fault === faults[0]?.[1] ? users : [])
        for (const operation of operations(api)) {
          if (!(await attempt(made, user, operation))) continue
          expect(allowed(before, user, operation) || allowed(after, user, operation), `${user} ${JSON.stringify(operation)} after step ${String(at)} of ${String(steps)}`).toBe(true)
        }
      // Whoever asks is root all the time.
      const again = await made.auth().plan(policyAt(api, 1), options)
      if (first === 'done') expect(again.steps).toEqual([])
      await made.auth().apply(again)
      expect((await made.auth().plan(policyAt(api, 1), options)).outcome).toBe('in sync')
    }
  })
})
