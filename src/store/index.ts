/** etcd's own rules, v3 and v2, by version. */
export { createStore, isFailure, isReset, type Store, type StoreOptions } from './store.js'
export type { Caller } from './caller.js'
export type { HttpReply, HttpRequest, Reset } from './v2/reply.js'
export type { Failure, GrpcStatus } from './v3/failures.js'
export type { Calls, DeleteRangeReply, HeaderReply, KeyValue, Method, PutReply, RangeReply, ResponseHeader, StatusReply, WatchReply } from './v3/rpc.js'
