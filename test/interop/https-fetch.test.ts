/** The fetch of the examples, which carries a client certificate. */
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { httpsFetch } from '../../examples/support/https-fetch.js'
import { definePolicy } from '../../src/policy/index.js'
import { makeMaterial } from '../support/material.js'

const policy = definePolicy({ users: { root: 'certificate' }, members: ['etcd-0'], authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'], v3: { roles: {}, bindings: { root: ['root'] } } })

test('a signal that aborts when the answer has arrived harms nothing, however often; before, the request ends by an AbortError', async () => {
  const material = await makeMaterial(policy, 'three authorities')
  const { certificate, key } = await material.server('etcd-0', ['https://127.0.0.1:1'])
  const silent = new Set<string>()
  const server = createServer({ cert: certificate, key }, (request, response) => {
    request.resume().on('end', () => {
      if (!silent.has(request.url ?? '')) response.end('0123456789')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `https://127.0.0.1:${String((server.address() as AddressInfo).port)}/`
  const fetch = httpsFetch({ ca: material.servers.certificate })
  try {
    for (let turn = 0; turn < 60; turn++) {
      await (await fetch(url)).text()
      // Lets the connection come to rest, so that the next request takes it.
      await new Promise((resolve) => setTimeout(resolve, 5))
      const controller = new AbortController()
      const response = await fetch(url, { method: 'PUT', body: 'x', signal: controller.signal })
      await Promise.resolve()
      controller.abort()
      // All of it was there, or the body fails as a fetch's does; nothing else in the process does.
      await response.text().then((text) => expect(text).toBe('0123456789'), (error: unknown) => expect(error).toMatchObject({ name: 'AbortError' }))
    }
    silent.add('/silent')
    const controller = new AbortController()
    const waiting = fetch(`${url}silent`, { signal: controller.signal })
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
    await expect(fetch(url, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
  } finally {
    fetch.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})
