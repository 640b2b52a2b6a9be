/** Which etcd a program runs on, and what it says of that first. */
import { findEtcd, type FoundEtcd } from './etcd.js'

/** The etcd, or `undefined` for the double; or that there is none to run on. `says` is one line. */
export type ChosenEtcd =
  | { readonly says: string; readonly etcd: FoundEtcd | undefined; readonly refused?: never }
  | { readonly says: string; readonly refused: true }

const KNOWN = '3.3 to 3.7'
const isKnown = (version: string): boolean => /^3\.[3-7]\.\d+$/.test(version)
const refuse = (says: string): ChosenEtcd => ({ says, refused: true })

/** @param options `real`: whether the double will not do */
export async function chooseEtcd({ real }: { readonly real: boolean }): Promise<ChosenEtcd> {
  const etcd = await findEtcd().catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
  if (etcd instanceof Error) return refuse(etcd.message)
  if (etcd === undefined) {
    if (real) return refuse('No etcd found, and --real wants one; set ETCD_RBAC_ETCD=/path/to/etcd, put etcd on the PATH, or run npm run fetch-etcd.')
    return { says: 'No etcd found: everything runs on the in-memory double.', etcd }
  }
  const { binary, version, from } = etcd
  if (isKnown(version)) return { says: `A real etcd ${version}, found in ${from}.`, etcd }
  return refuse(`etcd ${version}, found in ${from} (${binary}); wanted ${KNOWN}; set ETCD_RBAC_ETCD to such a one, or run npm run fetch-etcd and name what it brought.`)
}
