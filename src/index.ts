/**
 * etcd-rbac: protect an etcd that several components share, from one typed policy.
 *
 * In the order of the job: the policy, the certificates, the configuration of members and components, and the users and roles in etcd.
 */
export * from './policy/index.js'
export * from './presets/index.js'
export * from './review/index.js'
export * from './pki/index.js'
export * from './render/index.js'
export * from './auth/index.js'
