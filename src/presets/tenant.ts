/**
 * A tenant: anybody with a prefix of keys, and nothing beside it. The template for what has no preset of its own.
 *
 * What a right does not keep a tenant from, the releases of etcd say: `holes`, from the advisories.
 */
import { advisoriesOf, leaseKeys, nestedTransaction, transactionPut, unguardedCalls, watchLeak, type Advisory } from '../advisories/advisories.js'
import { EtcdRbacError, quoted } from '../errors.js'
import { prefix as prefixOf, type Prefix } from '../keys/key-range.js'
import type { PermissionType } from '../keys/permission.js'
import { checkName } from '../names.js'
import { component, type Component } from './component.js'
import { oneOf } from './one-of.js'

/** A tenant's rights, and its name as user and role. */
export interface Tenant extends Component<Prefix> {
  readonly name: string
  /** Ways out of its prefix that this etcd leaves to any user. Empty on a release that has closed them. */
  readonly holes: readonly Advisory[]
}

/** Who it is, and where its keys are. */
export interface TenantOptions {
  /** The name of its user, which is the Common Name of its certificates. */
  readonly name: string
  /** Where its keys are, with the slash at the end: `'/tenants/a/'`. */
  readonly prefix: string
  /** The lowest version of the members, with patch number: `'3.5.30'`. */
  readonly etcd: string
  /** Default `'readwrite'`. */
  readonly access?: PermissionType
}

/** The holes by which one user reaches what is another's. */
const WAYS_OUT: readonly Advisory[] = [watchLeak, nestedTransaction, unguardedCalls, transactionPut, leaseKeys]

/**
 * The rights of a tenant.
 *
 * @throws {@link EtcdRbacError} `ERR_NAME_INVALID`, for `root` too; `ERR_PREFIX_UNTERMINATED`; `ERR_KEY_INVALID` for the prefix `/`, which would leave nothing to others; `ERR_VERSION_UNSUPPORTED`
 * @example
 * ```ts
 * import { can, definePolicy, get, put, tenant } from 'etcd-rbac'
 * const { name, permissions, holes } = tenant({ name: 'shop', prefix: '/tenants/shop/', etcd: '3.7.3' })
 * const policy = definePolicy({ users: { root: 'certificate', shop: 'certificate' }, v3: { roles: { shop: permissions }, bindings: { root: ['root'], shop: ['shop'] } } })
 * console.log(name, can(policy, 'shop', put('/tenants/shop/x')), can(policy, 'shop', get('/tenants/shop2/x')), holes.length) // shop true false 0
 * ```
 */
export function tenant({ name, prefix, etcd, access = 'readwrite' }: TenantOptions): Tenant {
  oneOf('access', access, ['read', 'write', 'readwrite'])
  if (checkName('user', name) === 'root')
    throw new EtcdRbacError('ERR_NAME_INVALID', { found: 'a tenant named "root"', wanted: 'a user who is not everybody', fix: 'rename the tenant' }, { kind: 'user', name })
  if (typeof prefix !== 'string') throw new TypeError('prefix must be a string')
  if (prefix === '/') throw new EtcdRbacError('ERR_KEY_INVALID', { found: `the prefix ${quoted(prefix)} for one tenant`, wanted: 'a prefix that leaves keys to others', fix: 'name the prefix that is its own' }, { key: prefix })
  const { grants, permissions } = component(
    [{ path: prefix, type: access, evidence: { kind: 'assumed', text: 'the keys that the tenant is given: what it asks for beside them, nobody has looked at' } }],
    (path) => prefixOf(path),
  )
  const open = advisoriesOf(etcd)
  return { name, permissions, grants, notes: [`The key ${quoted(prefix.slice(0, -1))} itself is not below the prefix.`], holes: WAYS_OUT.filter((one) => open.includes(one)) }
}
