/** A policy that is imported or read as JSON: its names are any text to the compiler, and `parsePolicy` checks them at run time. */
import json from './fixtures/policy.json' with { type: 'json' }
import { can, definePolicy, defineUsers, parsePolicy, put, type Policy } from '../../src/policy/index.js'
import { issueClient, issueServer, type Authority, type Validity } from '../../src/pki/index.js'

declare const clients: Authority<'client'>
declare const servers: Authority<'server'>
declare const validity: Validity
declare const name: string

const loaded: Policy = parsePolicy(json)
can(loaded, name, put('/x'))
can(loaded, 'calico-node', put('/x'))
void issueClient(clients, { policy: loaded, user: name, csr: '', validity })
void issueClient(clients, { policy: loaded, user: 'calico-node', csr: '', validity })
void issueServer(servers, { policy: loaded, member: 'etcd-0', hosts: ['10.0.0.10'], csr: '', validity })
loaded.users['calico-node']?.startsWith('c')

// @ts-expect-error what is imported says `string` where the policy wants 'certificate' or 'password'
definePolicy(json)
// @ts-expect-error likewise
definePolicy({ users: json.users })
// @ts-expect-error likewise
defineUsers(json.users)
// @ts-expect-error a table of any names may lack this one
loaded.users['calico-node'].startsWith('c')
// @ts-expect-error a user is text
can(loaded, 7, put('/x'))
// @ts-expect-error the half may be missing
loaded.v3.roles
// @ts-expect-error what was not parsed is no policy
can(json, 'calico-node', put('/x'))
