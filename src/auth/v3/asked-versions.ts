/** The versions that members say of themselves. */
import { isEtcdRbacError } from '../../errors.js'
import type { CallContext } from '../backend.js'
import { withDeadline } from '../clock.js'
import type { MaintenanceClient } from '../observe.js'
import { v3Failure } from './failures.js'
import { versionIn } from './replies.js'

/** Of the members that answer. Rejects where none does. */
export async function askedVersions(members: readonly MaintenanceClient[], context: CallContext): Promise<readonly string[]> {
  const asked = await Promise.allSettled(
    members.map(async (maintenance) => {
      try {
        return versionIn(await withDeadline(context.clock, context.deadlineMilliseconds, 'status', (deadline) => maintenance.status({ deadline })))
      } catch (error) {
        throw isEtcdRbacError(error) ? error : v3Failure(error, 'status', context)
      }
    }),
  )
  const versions = asked.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
  const [first] = asked
  if (versions.length === 0 && first?.status === 'rejected') throw first.reason
  return versions
}
