/** Doubles for unit tests: an etcd in memory, with faults, and a clock that stands still. */
export { memoryEtcd, type MemoryEtcd, type MemoryEtcdOptions } from './memory-etcd.js'
export { manualClock, type Clock, type ManualClock } from './clock.js'
export type { Call } from './calls.js'
export type { CallMatch, Faults, Remove } from './faults.js'
export type { ErrorClasses } from './grpc-error.js'
export type {
  CallOptions,
  HeaderReply,
  MemoryAuth,
  MemoryClient,
  MemoryKv,
  MemoryResponse,
  PermissionReply,
  PermissionRequest,
  RangeMessage,
  ResponseHeader,
} from './types.js'
