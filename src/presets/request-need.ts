/** What components ask of etcd beside keys, and whom etcd lets ask: no permission grants any of it. */
import { accessOf } from '../advisories/access-changes.js'
import { opennessOf, ruleOf, type Openness, type ServerCall } from '../policy/server-calls.js'
import type { Evidence } from './component.js'

/** A request, by the name of its RPC. */
export type RequestName = 'Compact' | 'Status' | 'Snapshot' | 'Defragment' | 'MemberList' | 'MemberAdd' | 'MemberPromote' | 'MemberRemove'

/** The call that `can` answers for. */
export const REQUEST_CALLS: Readonly<Record<RequestName, ServerCall>> = {
  Compact: 'compact',
  Status: 'status',
  Snapshot: 'snapshot',
  Defragment: 'defragment',
  MemberList: 'memberList',
  MemberAdd: 'memberAdd',
  MemberPromote: 'memberPromote',
  MemberRemove: 'memberRemove',
}

/** What a component asks of etcd beside keys. */
export interface RequestNeed {
  readonly request: RequestName
  /** Who may: any client that passes TLS, any that names itself, or role root only. There is no permission that grants it. */
  readonly needs: 'nothing' | 'user' | 'root'
  readonly evidence: Evidence
}

const NEEDS: Readonly<Record<Openness, RequestNeed['needs']>> = { anybody: 'nothing', users: 'user', holder: 'user', root: 'root' }

/**
 * What a request needs on a release of etcd.
 *
 * @throws {@link EtcdRbacError} `ERR_VERSION_UNSUPPORTED`
 */
export function requestNeed(request: RequestName, etcd: string, evidence: Evidence): RequestNeed {
  return { request, needs: NEEDS[opennessOf(ruleOf(REQUEST_CALLS[request]), accessOf(etcd))], evidence }
}
