/** What must and must not compile where hosts are derived, authorities changed, and errors explained. */
import { definePolicy } from '../../src/policy/index.js'
import {
  explainTlsError, issueServer, memberHosts, rotateCa, rotationProgress, type Authority, type CertificatePem, type CsrPem, type RotationPlan, type TlsFault, type Validity,
} from '../../src/pki/index.js'
import type { WebCryptoLike } from '../../src/platform.js'

declare const crypto: WebCryptoLike
declare const old: Authority<'client'>, next: Authority<'client'>, servers: Authority<'server'>
declare const csr: CsrPem, certificate: CertificatePem, validity: Validity, plan: RotationPlan, now: Date, hosts: readonly string[]
const policy = definePolicy({ users: { root: 'certificate' }, members: ['etcd-0'], authorities: ['etcd-servers'] })

// Both kinds of URL are said, if only to be empty.
memberHosts({ listen: hosts, advertise: [] })
// @ts-expect-error what it advertises is not forgotten
memberHosts({ listen: hosts })

// A wildcard is asked for in words.
void issueServer(servers, { policy, member: 'etcd-0', hosts, wildcard: 'every name of that domain', csr, validity })
// @ts-expect-error not by a flag
void issueServer(servers, { policy, member: 'etcd-0', hosts, wildcard: true, csr, validity })

// An authority fits, and so does its certificate with what is trusted above it.
const common = { members: ['etcd-0'], records: [], now } as const
void rotateCa(crypto, { ...common, purposes: ['client'], old, new: next })
void rotateCa(crypto, { ...common, purposes: ['client', 'peer'], old: { certificate, trusted: 'from a file' }, new: next })
// @ts-expect-error what it is for has no default
void rotateCa(crypto, { ...common, old, new: next })
// @ts-expect-error not a purpose
void rotateCa(crypto, { ...common, purposes: ['clients'], old, new: next })
// @ts-expect-error a CSR is no authority
void rotateCa(crypto, { ...common, purposes: ['client'], old: { certificate: csr }, new: next })

// A plan that was kept is one again.
rotationProgress(JSON.parse('') as RotationPlan, [{ holder: 'etcd-0', bundle: certificate }], now)
// @ts-expect-error the present is the caller's
rotationProgress(plan, [])
// Every step says what it is.
export const restarts: readonly string[] = plan.phases.flatMap(({ steps }) => steps.flatMap((step) => (step.do === 'restart' ? [step.at] : [])))

export const fault: TlsFault | undefined = explainTlsError(new Error('x'))?.code
// @ts-expect-error whose words: a client's or a member's
explainTlsError('x', { by: 'server' })
