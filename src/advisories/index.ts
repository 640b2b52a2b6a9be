/** Known RBAC holes of etcd, as data by version. */
export { advisories, advisoriesOf, nestedTransaction, transactionPut, unguardedCalls, watchLeak, type Advisory } from './advisories.js'
export { isSince, parseVersion, type EtcdVersion, type Since } from './version.js'
