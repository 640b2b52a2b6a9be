/** The refusals of etcd's v3 API: gRPC code and text, byte for byte (`api/v3rpc/rpctypes/error.go`; `auth: …` where etcd maps none). */

/** gRPC status codes (google.golang.org/grpc/codes). */
export type GrpcStatus =
  | 'UNKNOWN'
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'PERMISSION_DENIED'
  | 'FAILED_PRECONDITION'
  | 'OUT_OF_RANGE'
  | 'UNIMPLEMENTED'
  | 'UNAVAILABLE'
  | 'UNAUTHENTICATED'

/** A refused call. */
export interface Failure {
  readonly failure: true
  readonly status: GrpcStatus
  readonly message: string
}

const fail = (status: GrpcStatus, message: string): Failure => ({ failure: true, status, message })

/** Why a call is refused. */
export type FailureName =
  | 'userEmpty'
  | 'userExists'
  | 'userNotFound'
  | 'roleEmpty'
  | 'roleExists'
  | 'roleNotFound'
  | 'roleNotGranted'
  | 'permissionNotGranted'
  | 'permissionNotGiven'
  | 'permissionDenied'
  | 'invalidManagement'
  | 'rootUserMissing'
  | 'rootRoleMissing'
  | 'notEnabled'
  | 'authFailed'
  | 'noPasswordUser'
  | 'passwordTooLong'
  | 'invalidToken'
  | 'uncodedPermissionDenied'
  | 'uncodedUserEmpty'
  | 'uncodedUserNotFound'
  | 'uncodedInvalidToken'
  | 'unknownMethod'
  | 'keyEmpty'
  | 'keyNotFound'
  | 'valueProvided'
  | 'leaseProvided'
  | 'leaseNotFound'
  | 'leaseExists'
  | 'leaseTooLong'
  | 'duplicateKey'
  | 'tooManyOperations'
  | 'invalidSort'
  | 'compacted'
  | 'futureRevision'
  | 'dead'

/** Every refusal, by name. */
export const failures: Readonly<Record<FailureName, Failure>> = {
  userEmpty: fail('INVALID_ARGUMENT', 'etcdserver: user name is empty'),
  userExists: fail('FAILED_PRECONDITION', 'etcdserver: user name already exists'),
  userNotFound: fail('FAILED_PRECONDITION', 'etcdserver: user name not found'),
  roleEmpty: fail('INVALID_ARGUMENT', 'etcdserver: role name is empty'),
  roleExists: fail('FAILED_PRECONDITION', 'etcdserver: role name already exists'),
  roleNotFound: fail('FAILED_PRECONDITION', 'etcdserver: role name not found'),
  roleNotGranted: fail('FAILED_PRECONDITION', 'etcdserver: role is not granted to the user'),
  permissionNotGranted: fail('FAILED_PRECONDITION', 'etcdserver: permission is not granted to the role'),
  permissionNotGiven: fail('INVALID_ARGUMENT', 'etcdserver: permission not given'),
  permissionDenied: fail('PERMISSION_DENIED', 'etcdserver: permission denied'),
  invalidManagement: fail('INVALID_ARGUMENT', 'etcdserver: invalid auth management'),
  rootUserMissing: fail('FAILED_PRECONDITION', 'etcdserver: root user does not exist'),
  rootRoleMissing: fail('FAILED_PRECONDITION', 'etcdserver: root user does not have root role'),
  notEnabled: fail('FAILED_PRECONDITION', 'etcdserver: authentication is not enabled'),
  authFailed: fail('INVALID_ARGUMENT', 'etcdserver: authentication failed, invalid user ID or password'),
  noPasswordUser: fail('UNKNOWN', 'auth: authentication failed, password was given for no password user'),
  passwordTooLong: fail('UNKNOWN', 'bcrypt: password length exceeds 72 bytes'),
  invalidToken: fail('UNAUTHENTICATED', 'etcdserver: invalid auth token'),
  uncodedPermissionDenied: fail('UNKNOWN', 'auth: permission denied'),
  uncodedUserEmpty: fail('UNKNOWN', 'auth: user name is empty'),
  uncodedUserNotFound: fail('UNKNOWN', 'auth: user not found'),
  uncodedInvalidToken: fail('UNKNOWN', 'auth: invalid auth token'),
  unknownMethod: fail('UNIMPLEMENTED', 'unknown method AuthStatus for service etcdserverpb.Auth'),
  keyEmpty: fail('INVALID_ARGUMENT', 'etcdserver: key is not provided'),
  keyNotFound: fail('INVALID_ARGUMENT', 'etcdserver: key not found'),
  valueProvided: fail('INVALID_ARGUMENT', 'etcdserver: value is provided'),
  leaseProvided: fail('INVALID_ARGUMENT', 'etcdserver: lease is provided'),
  leaseNotFound: fail('NOT_FOUND', 'etcdserver: requested lease not found'),
  leaseExists: fail('FAILED_PRECONDITION', 'etcdserver: lease already exists'),
  leaseTooLong: fail('OUT_OF_RANGE', 'etcdserver: too large lease TTL'),
  duplicateKey: fail('INVALID_ARGUMENT', 'etcdserver: duplicate key given in txn request'),
  tooManyOperations: fail('INVALID_ARGUMENT', 'etcdserver: too many operations in txn request'),
  invalidSort: fail('INVALID_ARGUMENT', 'etcdserver: invalid sort option'),
  compacted: fail('OUT_OF_RANGE', 'etcdserver: mvcc: required revision has been compacted'),
  futureRevision: fail('OUT_OF_RANGE', 'etcdserver: mvcc: required revision is a future revision'),
  dead: fail('UNAVAILABLE', 'connection error: desc = "transport: error while dialing: connection refused"'),
}

/** The first finding, or `undefined`. */
export function firstOf<T>(items: Iterable<T>, find: (item: T) => Failure | undefined): Failure | undefined {
  for (const item of items) {
    const found = find(item)
    if (found) return found
  }
  return undefined
}

/** Whether a call was refused. */
export function isFailure(answer: object): answer is Failure {
  return 'failure' in answer && answer.failure === true
}
