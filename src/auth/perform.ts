/** One write, sent once and looked at; and the proof that whoever turned auth on is still root. */
import { EtcdRbacError } from '../errors.js'
import { meaningOf, type Backend, type CallContext } from './backend.js'
import type { Identity } from './identity.js'
import { holds } from './read.js'
import type { Write } from './step.js'
import { visible } from './visible.js'

/** How a step went: `done` by this call, or `found` done already when the server said so or the answer was lost. */
export type Outcome = 'done' | 'found'

/** To which store, and as whom. */
export interface Applier {
  readonly backend: Backend
  readonly identity: Identity
  /** Without a signal: what has been written is always read back. */
  readonly context: CallContext
}

/** Sends one write once; where the answer leaves open whether it was done, the store itself is asked. */
export async function perform({ backend, context }: Applier, step: Write, password: string | undefined, version: string | undefined): Promise<{ readonly outcome: Outcome; readonly conflict: boolean }> {
  try {
    await backend.perform(step, { password, version }, context)
    return { outcome: 'done', conflict: false }
  } catch (error) {
    const meaning = meaningOf(error)
    if (meaning === 'denied' || meaning === 'refused') throw error
    // When the store cannot be asked either, the first failure says more: unless it is now locked, which only enabling does.
    const isDone = await holds(backend, step, context).catch((asking: unknown) => step.do === 'enable' && meaningOf(asking) === 'denied')
    if (!isDone) throw error
    return { outcome: 'found', conflict: meaning === 'conflict' }
  }
}

/** One call that only role root may make: still as the identity, while there is a way back. */
export async function proveRoot({ backend, identity: { user }, context }: Applier): Promise<void> {
  try {
    await backend.listUsers(context)
  } catch (error) {
    if (meaningOf(error) !== 'denied') throw error
    const shown = visible(user)
    throw new EtcdRbacError('ERR_LOCKED_OUT', { found: `auth is on, and this client is not user ${shown} with role root for etcd`, wanted: `an admin call as ${shown} that succeeds`, fix: `connect with a certificate whose Common Name is ${shown} from the CA in --trusted-ca-file, with --client-cert-auth on every member; with it, auth can be disabled or the work go on` }, { user }, error)
  }
}
