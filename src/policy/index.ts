/** Policies: keys and permissions, users, roles and bindings, and what they add up to. Loads no crypto and no client. */
export * from '../keys/index.js'
export { definePolicy, defineUsers, parsePolicy, type BoundRoles, type NotUser } from './define.js'
export type { AuthorityName, Bindings, CertificateUser, Login, MemberName, Policy, PolicyV2, PolicyV3, Roles, UserName, Users } from './policy.js'
export { get, put, del, watch, type Operation, type Target } from './operations.js'
export { can, anonymous, type Anonymous } from './can.js'
export type { Because } from '../because.js'
export { EtcdRbacError, isEtcdRbacError, type ErrorCode, type ErrorDetails, type ErrorText, type Problem } from '../errors.js'
