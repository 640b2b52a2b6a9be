/** Doubles for unit tests: an etcd in memory, with faults, and a clock that stands still. */
export { memoryEtcd, type MemoryEtcd, type MemoryEtcdOptions } from './memory-etcd.js'
export { manualClock, type Clock, type ManualClock } from './clock.js'
export type { Call } from './calls.js'
export type { CallMatch, Faults, Remove } from './faults.js'
export type { ErrorClasses } from './grpc-error.js'
export type {
  CallOptions,
  MemoryAuth,
  MemoryClient,
  MemoryKv,
  MemoryMaintenance,
  MemoryResponse,
  PermissionReply,
  PermissionRequest,
  RangeMessage,
} from './types.js'
export type { DeleteRangeReply, HeaderReply, KeyValue, PutReply, RangeReply, ResponseHeader, StatusReply, WatchReply } from '../store/index.js'
export type { FetchLike, HeadersLike, ResponseLike } from '../platform.js'
export { EtcdRbacError, isEtcdRbacError, type ErrorCode, type ErrorDetails, type ErrorText, type Problem } from '../errors.js'
