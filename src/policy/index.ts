/** Policies: keys and permissions, users, roles and bindings, and what they add up to. Loads no crypto and no client. */
export * from '../keys/index.js'
export { definePolicy, defineUsers, parsePolicy, type BoundRoles, type NotUser } from './define.js'
export type { AuthorityName, Bindings, CertificateUser, Login, MemberName, Policy, PolicyV2, PolicyV3, Roles, UserName, Users } from './policy.js'
export {
  get, put, del, watch, txn, lease, call,
  type CallOperation, type KeyOperation, type LeaseOperation, type Operation, type Target, type Transaction, type TransactionOperation,
} from './operations.js'
export type { ServerCall } from './server-calls.js'
export { anonymous, type Anonymous } from './anonymous.js'
export { can } from './can.js'
export { explain, type Explanation, type NeedAnswer, type VersionDifference } from './explain.js'
export { advisories, advisoriesOf, type AccessChange, type Advisory, type Since } from '../advisories/index.js'
export type { Circumstances } from './judge.js'
export type { Need } from './needs.js'
export type { Access, Granted } from './rights.js'
export { disjoint, equivalent, implies, noNewAccess, notGranted, type ClientExample, type Example, type Verdict } from './compare.js'
export { lint } from './lint/lint.js'
export type { LintCertificate, LintComponent, LintContext } from './lint/context.js'
export type { Finding, LintCode } from './lint/finding.js'
export { isolation, type Holding, type Isolation, type IsolationOptions, type Overlap } from './isolation.js'
export { indexPolicy, type Asked, type PolicyIndex } from './index-policy.js'
export type { Because } from '../because.js'
export { EtcdRbacError, isEtcdRbacError, type ErrorCode, type ErrorDetails, type ErrorText, type Problem } from '../errors.js'
