/** The same calls in other orders, by bare RPCs of the same client, so many at once. */
import { Buffer } from 'node:buffer'
import type { AuthClient } from './server.js'
import { callsOf, type Call, type Shape, type Tenant } from './shape.js'

/** As many as the library has under way on v3. */
export const AT_ONCE = 16

export async function eachAtOnce<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = items.values()
  const worker = async (): Promise<void> => {
    for (const item of left) await work(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** Sends one call. */
export async function send(auth: AuthClient, call: Call): Promise<void> {
  switch (call.do) {
    case 'role add':
      await auth.roleAdd({ name: call.role })
      return
    case 'grant':
      // The end of a prefix of a slash is that of the byte behind it.
      await auth.roleGrantPermission({ name: call.role, perm: { permType: 'Readwrite', key: Buffer.from(call.prefix), range_end: Buffer.from(call.prefix.replace(/\/$/, '0')) } })
      return
    case 'user add':
      await auth.userAdd({ name: call.user, password: '', options: { no_password: true } })
      return
    case 'bind':
      await auth.userGrantRole({ user: call.user, role: call.role })
  }
}

/** Everything of one kind before the next: roles, and then permissions and users with their bindings in either order. */
export async function inFixedOrder(auth: AuthClient, { roles, tenants }: Shape, first: 'permissions' | 'bindings'): Promise<void> {
  const calls = [...[...roles.values()].flat(), ...tenants.flatMap(callsOf)]
  const phase = (kind: Call['do']): Promise<void> => eachAtOnce(calls.filter((call) => call.do === kind), (call) => send(auth, call))
  await phase('role add')
  if (first === 'permissions') await phase('grant')
  await phase('user add')
  await phase('bind')
  if (first === 'bindings') await phase('grant')
}

/** Tenant after tenant, each whole: its role unless another one has made it, its user, its binding. */
export function tenantByTenant(auth: AuthClient, { roles }: Pick<Shape, 'roles'>): (tenants: readonly Tenant[]) => Promise<void> {
  const made = new Map<string, Promise<void>>()
  const inTurn = async (calls: readonly Call[]): Promise<void> => {
    for (const call of calls) await send(auth, call)
  }
  return (tenants) =>
    eachAtOnce(tenants, async (tenant) => {
      const { role } = tenant
      const making = made.get(role) ?? inTurn(roles.get(role) ?? [])
      made.set(role, making)
      await making
      await inTurn(callsOf(tenant))
    })
}

/** All that a store holds, by bare RPCs. */
export async function readAll(auth: AuthClient): Promise<void> {
  await eachAtOnce((await auth.userList()).users, (name) => auth.userGet({ name }))
  await eachAtOnce((await auth.roleList()).roles, (role) => auth.roleGet({ role }))
}
