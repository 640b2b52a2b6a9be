/** The contract on the double, for every version that the servers are tested with. */
import { describe } from 'vitest'
import { memoryEtcd } from '../../src/testing/index.js'
import { v2Backend, v3Backend } from '../../src/auth/index.js'
import { attemptV2, attemptV3, memoryV3Client } from '../../examples/support/attempt.js'
import { lanes } from '../../scripts/fetch-etcd.mjs'
import { contract } from './suite.js'
import type { As, World } from './world.js'

function double(version: string, v2: boolean): World {
  const etcd = memoryEtcd({ version, ...(v2 ? { v2 } : {}) })
  const as = (user: As) => etcd.as(typeof user === 'symbol' ? 'stranger' : user)
  const endpoint = 'https://etcd.invalid:2379'
  return {
    version,
    apis: v2 ? ['v3', 'v2'] : ['v3'],
    backend: (api, user) =>
      api === 'v3' ? v3Backend(as(user).auth, { versions: [version], crypto: globalThis.crypto }) : v2Backend({ fetch: as(user).fetch, endpoint, crypto: globalThis.crypto }),
    attempt: (user, operation) => {
      const client = as(user)
      const { keys } = operation
      return keys.api === 'v3' ? attemptV3(memoryV3Client(client), operation, keys) : attemptV2(client.fetch, endpoint, operation, keys)
    },
  }
}

for (const { version, v2 } of lanes()) {
  describe(`the double of etcd ${version}`, () => {
    const world = double(version, v2 !== 'none')
    contract('contract', () => world, world.apis)
  })
}
