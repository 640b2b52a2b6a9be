/**
 * A client that plans and applies and is killed on the way: sends the n-th write, says so to its parent, and is told nothing more. It runs what
 * was built, as its own process must.
 */
import { request } from 'node:https'
import { Etcd3 } from 'etcd3'
import { EtcdAuth, etcd3Options, parsePolicy, v2Backend, v3Backend } from 'etcd-rbac'

// A child without its parent has nobody who kills it.
process.on('disconnect', () => process.exit(1))

process.once('message', async ({ api, material, policy, options, versions, at }) => {
  let writes = 0
  /** What is sent, and never answered where it is that write. */
  const mute = (isRead, answer) => {
    if (isRead || ++writes !== at) return answer
    process.send('sent')
    return new Promise(() => undefined)
  }
  const backends = {
    v3: () => {
      const etcd = new Etcd3(etcd3Options(material))
      const isRead = (name) => /^(authenticate|authStatus|(user|role)(Get|List))$/.test(name)
      const auth = new Proxy(etcd.auth, {
        get: (client, name) => (typeof client[name] === 'function' ? (...given) => mute(isRead(name), client[name](...given)) : client[name]),
      })
      return v3Backend(auth, { versions, crypto: globalThis.crypto })
    },
    v2: () => v2Backend({ fetch: (url, init) => mute(init.method === 'GET', fetchWith(material, url, init)), endpoint: material.hosts[0], crypto: globalThis.crypto }),
  }
  const root = new EtcdAuth(backends[api](), { identity: { user: 'root' } })
  await root.apply(await root.plan(parsePolicy(policy), options))
  process.exit(0)
})

function fetchWith({ ca, certificate: cert, key }, url, { method, headers = {}, body = '' }) {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, ca, cert, key, headers: { ...headers, 'content-length': Buffer.byteLength(body) } }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk) => (text += chunk)).on('error', reject)
      answer.on('end', () => resolve({ status: answer.statusCode, headers: new Headers(Object.entries(answer.headers)), text: async () => text }))
    })
    sent.on('error', reject).end(body)
  })
}
