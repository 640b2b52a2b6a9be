/** What goes wrong between a client and a real etcd, and what the error says to do. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Etcd3 } from 'etcd3'
import { EtcdAuth, etcd3Options, v2Backend, v3Backend, type Backend } from '../../src/auth/index.js'
import { freePorts } from '../../examples/support/etcd.js'
import { httpsFetch } from '../../examples/support/https-fetch.js'
import { startCluster, testLanes, type Cluster } from '../support/cluster.js'
import { makeMaterial } from '../support/material.js'
import { policy } from '../contract/suite.js'

const { crypto } = globalThis

for (const lane of await testLanes()) {
  describe(`etcd ${lane.name}`, () => {
    let cluster: Cluster
    let strangeCa: string
    beforeAll(async () => {
      cluster = await startCluster({ lane, members: 1, policy })
      strangeCa = (await makeMaterial(policy, 'three authorities')).servers.certificate
    })
    afterAll(async () => {
      await cluster.stop()
    })

    const opened: { close(): unknown }[] = []
    afterAll(() => {
      for (const each of opened) each.close()
    })
    const v3 = async (hosts: string, ca: string): Promise<Backend> => {
      const client = new Etcd3(etcd3Options({ hosts, ca, ...(await cluster.credentials('root')) }))
      opened.push(client)
      return v3Backend(client.auth, { maintenance: client.maintenance, crypto })
    }
    const v2 = async (endpoint: string, ca: string): Promise<Backend> => {
      const { certificate, key } = await cluster.credentials('root')
      const fetch = httpsFetch({ ca, cert: certificate, key })
      opened.push(fetch)
      return v2Backend({ fetch, endpoint, crypto })
    }
    const stateOf = (backend: Backend) => new EtcdAuth(backend, { identity: { user: 'root' }, deadlineMilliseconds: 5_000 }).state()
    const [endpoint, ca] = [() => cluster.clientUrls[0] ?? '', () => cluster.serverCa]

    test('an endpoint where nothing listens is unreachable, and the message says to check it', async () => {
      const [port] = await freePorts(1)
      const nowhere = `https://127.0.0.1:${String(port)}`
      for (const backend of [await v3(nowhere, ca()), await v2(nowhere, ca())])
        await expect(stateOf(backend)).rejects.toMatchObject({ code: 'ERR_UNREACHABLE', message: expect.stringContaining('check the endpoint') as string })
    })

    test('a server whose certificate comes from another authority is a TLS error, and the message says to compare CA files', async () => {
      for (const backend of [await v3(endpoint(), strangeCa), await v2(endpoint(), strangeCa)])
        await expect(stateOf(backend)).rejects.toMatchObject({ code: 'ERR_TLS', message: expect.stringContaining('compare the CA files') as string })
    })

    if (lane.v2 === 'none') test('a server without v2 API says so, and the message says how to get it', async () => {
      await expect(stateOf(await v2(endpoint(), ca()))).rejects.toMatchObject({ code: 'ERR_V2_DISABLED', message: expect.stringContaining('--enable-v2=true') as string })
    })

    test('a client without certificate is refused by TLS', async () => {
      const fetch = httpsFetch({ ca: ca() })
      opened.push(fetch)
      await expect(stateOf(v2Backend({ fetch, endpoint: endpoint(), crypto }))).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_(TLS|UNREACHABLE)$/) as string })
    })

    test('once auth is on, a user without role root is told so', async () => {
      const auth = new EtcdAuth(await v3(endpoint(), ca()), { identity: { user: 'root' } })
      await auth.apply(await auth.plan({ ...policy, v2: undefined }, { unmanaged: 'report', enable: true, acknowledgePasswordsInLog: true, acknowledgeOpenV2: true }), { passwords: { auditor: 'a password' } })
      const alice = await cluster.client('alice')
      await expect(new EtcdAuth(v3Backend(alice.auth), { identity: { user: 'alice' } }).state()).rejects.toMatchObject({
        code: 'ERR_NOT_ROOT',
        message: expect.stringContaining('role root') as string,
      })
    })
  })
}
