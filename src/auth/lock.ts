/** An advisory lock around an apply: appliers that take it keep out of each other's way, and nobody else. */
import { EtcdRbacError } from '../errors.js'
import { visibleReason } from './visible.js'

/**
 * A lock of the caller's choice, by structure: etcd3's `etcd.lock('/etcd-rbac/lock')` fits. Its key lies where the caller's user may write, and its lease
 * frees it when the applier is killed.
 */
export interface AdvisoryLock {
  /** Rejects where somebody else holds it. */
  acquire(): Promise<unknown>
  /** Frees it. */
  release(): Promise<unknown>
}

/**
 * Does the work while the lock is held. What becomes of the lock afterwards does not change what came of the work: it ends by its lease.
 *
 * @throws {@link EtcdRbacError} `ERR_LOCK_HELD`
 */
export async function holding<T>(lock: AdvisoryLock | undefined, work: () => Promise<T>): Promise<T> {
  if (lock === undefined) return work()
  try {
    await lock.acquire()
  } catch (error) {
    const reason = visibleReason(error instanceof Error ? error.message : String(error))
    throw new EtcdRbacError('ERR_LOCK_HELD', { found: `the lock was not had: ${reason}`, wanted: 'to be the only applier', fix: 'wait for the other one to end, then plan and apply again; nothing was written' }, { reason }, error)
  }
  try {
    return await work()
  } finally {
    await lock.release().catch(() => undefined)
  }
}
