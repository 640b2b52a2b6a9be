/** Review: what needs the policy, the components and the known releases of etcd together. */
export { upgradeCheck, type UpgradeCheck } from './upgrade-check.js'
export type { Affected, ApiChange, ApiClass, UpgradeEffect } from './effect.js'
export type { OperationClass } from './probes.js'
export { lackingOf, requires, type Lacking, type RequiredCall, type Requirement } from './requires.js'
