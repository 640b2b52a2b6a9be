/** Doubles in states that tests begin from, and calls reduced to one text. */
import { lanes } from '../../scripts/fetch-etcd.mjs'
import { memoryEtcd, type MemoryClient, type MemoryEtcd, type PermissionRequest, type WatchMessage, type WatchReply } from '../../src/testing/index.js'

/** The versions that the double was compared with. */
export const versions: readonly string[] = lanes().map(({ version }) => version)

/** Those from a release on, and those before it. */
export function since(release: string): { readonly from: readonly string[]; readonly before: readonly string[] } {
  const at = (version: string): number => version.split('.').reduce((sum, part) => sum * 1000 + Number(part), 0)
  return { from: versions.filter((version) => at(version) >= at(release)), before: versions.filter((version) => at(version) < at(release)) }
}

/** `'ok'`, or the refusal as etcd3 words it. */
export async function answerOf(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'ok'
  } catch (error) {
    return (error as Error).message
  }
}

export const bytes = (latin1: string): Buffer => Buffer.from(latin1, 'latin1')

/** A permission in few words: `Read`, a key, an end. */
export function perm(permType: string | number, key: string, end = ''): PermissionRequest {
  return { permType, key: bytes(key), range_end: bytes(end) }
}

/** A range as etcd3 sends it: no `range_end` where there is none. */
export function range(key: string, end = ''): { readonly key: Buffer; readonly range_end?: Buffer } {
  return end === '' ? { key: bytes(key) } : { key: bytes(key), range_end: bytes(end) }
}

/** Lets everything happen that is under way. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

/** A watch on a stream of its own, and all that it is told: what it has been told at the time it is looked at. */
export async function watched({ watchClient }: Pick<MemoryClient, 'watchClient'>, request: NonNullable<WatchMessage['create_request']>): Promise<readonly WatchReply[]> {
  const told: WatchReply[] = []
  const stream = await watchClient.watch()
  stream.on('data', (reply) => told.push(reply))
  stream.write({ create_request: request })
  await settled()
  return told
}

/** Users root and alice, with role `r` of these permissions for alice, and auth on. */
export async function locked(version: string, permissions: readonly PermissionRequest[] = []): Promise<MemoryEtcd> {
  const etcd = memoryEtcd({ version, Buffer })
  const { auth } = etcd
  await auth.userAdd({ name: 'root', password: 'root' })
  await auth.userAdd({ name: 'alice', password: 'secret' })
  await auth.userGrantRole({ user: 'root', role: 'root' })
  await auth.roleAdd({ name: 'r' })
  for (const permission of permissions) await auth.roleGrantPermission({ name: 'r', perm: permission })
  await auth.userGrantRole({ user: 'alice', role: 'r' })
  await auth.authEnable()
  return etcd
}
