/** What plain JavaScript may pass to the facade instead of what its types say, refused before anything is asked. */
import { quoted } from '../errors.js'
import { checkFields } from '../known-fields.js'
import type { ApplyOptions } from './apply.js'
import type { Backend } from './backend.js'
import type { Clock } from './clock.js'
import { checkLock } from './lock.js'
import { checkSignal } from './signal.js'

type Loose<T> = { readonly [Field in keyof T]?: unknown }

const METHODS = ['readVersion', 'readEnabled', 'listUsers', 'listRoles', 'readUser', 'readRole', 'blockers', 'perform'] as const satisfies readonly (keyof Backend)[]

/**
 * Refuses what is no backend: a client, most of all.
 *
 * @throws `TypeError`
 */
export function checkBackend(backend: unknown): void {
  const given = (backend ?? {}) as Loose<Backend>
  if (!(given.api === 'v2' || given.api === 'v3') || !(Number.isInteger(given.writesAtOnce) && Number(given.writesAtOnce) > 0) || METHODS.some((method) => typeof given[method] !== 'function')) throw new TypeError('the first argument is a backend, as v3Backend and v2Backend make it')
}

/**
 * Refuses what tells no time.
 *
 * @throws `TypeError`
 */
export function checkClock(clock: unknown): void {
  const { now, after } = (clock ?? {}) as Loose<Clock>
  if (typeof now !== 'function' || typeof after !== 'function') throw new TypeError('clock must have the functions now and after, as platformClock has')
}

/**
 * Refuses options of the wrong JavaScript type, and misspelt ones: an apply without the lock, the pace or the signal that was meant would pass for one with it.
 *
 * @throws `TypeError`
 */
export function checkApplyOptions(options: unknown): void {
  checkFields(options, ['passwords', 'onStep', 'signal', 'pacing', 'concurrency', 'lock'], 'the options of apply')
  const { passwords, onStep, signal, lock } = options as Loose<ApplyOptions>
  if (passwords !== undefined && (typeof passwords !== 'object' || passwords === null || Array.isArray(passwords))) throw new TypeError('passwords must be a table of users with the password of each')
  for (const [user, password] of Object.entries(passwords ?? {})) if (typeof password !== 'string') throw new TypeError(`the password of user ${quoted(user)} must be a string`)
  if (onStep !== undefined && typeof onStep !== 'function') throw new TypeError('onStep must be a function')
  checkSignal(signal)
  checkLock(lock)
}
