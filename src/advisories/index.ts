/** Known holes of etcd's access control, as data by version. */
export { ACCESS_CHANGES, accessChanges, accessOf, type AccessChange, type AccessChangeFacts } from './access-changes.js'
export {
  advisories, advisoriesOf, gatewayServerName, leaseKeys, nestedTransaction, passwordInLog, revocationBypass, transactionPut, unguardedCalls, watchLeak,
  type Advisory,
} from './advisories.js'
export { isSince, parseVersion, type EtcdVersion, type Since } from './version.js'
