/**
 * A client that plans and applies and is killed on the way: sends the n-th write, says so to its parent, and is told nothing more. It runs what
 * was built, as its own process must.
 */
import { Etcd3 } from 'etcd3'
import { EtcdAuth, etcd3Options, parsePolicy, v3Backend } from 'etcd-rbac'

// A child without its parent has nobody who kills it.
process.on('disconnect', () => process.exit(1))

process.once('message', async ({ material, policy, options, versions, at }) => {
  const etcd = new Etcd3(etcd3Options(material))
  let writes = 0
  const heard = (name) => /^(authenticate|authStatus|(user|role)(Get|List))$/.test(name) || ++writes !== at
  const auth = new Proxy(etcd.auth, {
    get: (client, name) => {
      if (typeof client[name] !== 'function') return client[name]
      return (...given) => {
        const answer = client[name](...given)
        if (heard(name)) return answer
        process.send('sent')
        return new Promise(() => undefined)
      }
    },
  })
  const root = new EtcdAuth(v3Backend(auth, { versions, crypto: globalThis.crypto }), { identity: { user: 'root' } })
  await root.apply(await root.plan(parsePolicy(policy), options))
  process.exit(0)
})
