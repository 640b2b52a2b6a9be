/** An advisory lock around an apply: appliers that take it keep out of each other's way, and nobody else. */
import { EtcdRbacError, isEtcdRbacError } from '../errors.js'
import type { CallContext } from './backend.js'
import { withDeadline } from './clock.js'
import { onAbort } from './signal.js'
import { visibleReason } from './visible.js'

/**
 * A lock of the caller's choice, by structure: etcd3's `etcd.lock('/etcd-rbac/lock')` fits. Its key lies where the caller's user may write, and its lease
 * frees it when the applier is killed.
 */
export interface AdvisoryLock {
  /** Rejects where somebody else holds it. One that does not answer within the deadline of a call was not had, and is freed if it answers later. */
  acquire(): Promise<unknown>
  /** Frees it. */
  release(): Promise<unknown>
}

/**
 * Refuses what cannot be held and freed.
 *
 * @throws `TypeError`
 */
export function checkLock(lock: unknown): void {
  if (lock === undefined) return
  const { acquire, release } = (lock ?? {}) as Partial<Record<keyof AdvisoryLock, unknown>>
  if (typeof acquire !== 'function' || typeof release !== 'function') throw new TypeError("lock must have the functions acquire and release, as etcd3's etcd.lock(…) has")
}

/**
 * Does the work while the lock is held. What becomes of the lock afterwards does not change what came of the work: it ends by its lease.
 *
 * @throws {@link EtcdRbacError} `ERR_LOCK_HELD`; `ERR_ABORTED` where the signal says so before the lock is had
 */
export async function holding<T>(lock: AdvisoryLock | undefined, context: CallContext, work: () => Promise<T>): Promise<T> {
  if (lock === undefined) return work()
  await acquired(lock, context)
  try {
    return await work()
  } finally {
    await freed(lock, context)
  }
}

async function acquired(lock: AdvisoryLock, context: CallContext): Promise<void> {
  const { clock, deadlineMilliseconds, signal } = context
  if (signal?.aborted === true) throw abortedBy(signal.reason)
  let [isHad, isGivenUp] = [false, false]
  // What throws at once is a rejection like others.
  const acquiring = (async () => lock.acquire())()
  acquiring.then(
    () => {
      isHad = true
      return isGivenUp ? freed(lock, context) : undefined
    },
    () => undefined,
  )
  let stop = (): void => undefined
  const told = new Promise<never>((_, reject) => {
    stop = onAbort(clock, signal, () => {
      reject(abortedBy(signal?.reason))
    })
  })
  try {
    await withDeadline(clock, deadlineMilliseconds, 'lock.acquire', () => Promise.race([acquiring, told]))
  } catch (error) {
    isGivenUp = true
    // Had in the moment in which it was given up.
    if (isHad) await freed(lock, context)
    if (isEtcdRbacError(error, 'ERR_ABORTED')) throw error
    throw notHad(error)
  } finally {
    stop()
  }
}

/** A lock that fails to be freed, by whatever way, ends by its lease. */
async function freed(lock: AdvisoryLock, { clock, deadlineMilliseconds }: CallContext): Promise<void> {
  try {
    await withDeadline(clock, deadlineMilliseconds, 'lock.release', async () => lock.release())
  } catch {
    // Nothing of what was done depends on it.
  }
}

function abortedBy(reason: unknown): EtcdRbacError<'ERR_ABORTED'> {
  return new EtcdRbacError('ERR_ABORTED', { found: 'the signal to stop, before the lock was had', wanted: 'to go on', fix: 'plan and apply again; nothing was written' }, { stepsDone: 0 }, reason)
}

/** Why it was not had is not told by etcd3's lock alone: somebody holds it, or the server was not reached. */
function notHad(error: unknown): EtcdRbacError<'ERR_LOCK_HELD'> {
  const reason = isEtcdRbacError(error, 'ERR_DEADLINE') ? `no answer within ${error.detail.milliseconds} ms` : visibleReason(error instanceof Error ? error.message : String(error))
  return new EtcdRbacError(
    'ERR_LOCK_HELD',
    { found: `the lock was not had: ${reason}`, wanted: 'to be the only applier', fix: 'if another applier holds it, wait for that one to end, else mend what is named; then plan and apply again: nothing was written' },
    { reason },
    error,
  )
}
