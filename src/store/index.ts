/** etcd's own rules, v3 and v2, by version. */
export { createStore, isFailure, isReset, type Store, type StoreOptions } from './store.js'
export type { Caller } from './caller.js'
export type { HttpReply, HttpRequest, Reset, Rest } from './v2/reply.js'
export type { Failure, GrpcStatus } from './v3/failures.js'
export type {
  Calls,
  DeleteRangeReply,
  HeaderReply,
  KeyValue,
  LeaseKeepAliveReply,
  LeaseTimeToLiveReply,
  Member,
  Method,
  PutReply,
  RangeReply,
  ResponseHeader,
  StatusReply,
  WatchEvent,
  WatchReply,
  WatchRequest,
} from './v3/rpc.js'
export type { WatchStream } from './v3/watch.js'
