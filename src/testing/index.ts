/** Doubles for unit tests: an etcd in memory, with faults, and a clock that stands still. */
export { memoryEtcd, type MemoryEtcd, type MemoryEtcdOptions } from './memory-etcd.js'
export { manualClock, type Clock, type ManualClock } from './clock.js'
export type { Call, CallOptions } from './calls.js'
export type { CallMatch, Faults, Remove } from './faults.js'
export type { ErrorClasses } from './grpc-error.js'
export type { MemoryCallable, MemoryClient, MemoryResponse } from './types.js'
export type {
  MemoryAuth,
  MemoryCluster,
  MemoryKv,
  MemoryLease,
  MemoryMaintenance,
  MemoryWatch,
  PermissionReply,
  PermissionRequest,
  RangeMessage,
  WatchMessage,
} from './services.js'
export type { BytesMaker } from './wire.js'
export type { MemoryStream, StreamEvents } from './stream.js'
export type {
  DeleteRangeReply,
  HeaderReply,
  KeyValue,
  LeaseKeepAliveReply,
  LeaseTimeToLiveReply,
  Member,
  PutReply,
  RangeReply,
  ResponseHeader,
  StatusReply,
  WatchEvent,
  WatchReply,
} from '../store/index.js'
export type { FetchLike, HeadersLike, ResponseLike } from '../platform.js'
export { EtcdRbacError, isEtcdRbacError, type ErrorCode, type ErrorDetails, type ErrorText, type Problem } from '../errors.js'
