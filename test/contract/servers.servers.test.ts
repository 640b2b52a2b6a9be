/** The contract on real servers with mutual TLS: every lane with one member, and with three. */
import { afterAll, beforeAll, describe } from 'vitest'
import { startCluster, testLanes, type Cluster } from '../support/cluster.js'
import { contract, policy } from './suite.js'

const lanes = await testLanes()

for (const lane of lanes) {
  for (const members of [1, 3] as const) {
    describe(`etcd ${lane.name}, ${String(members)} ${members === 1 ? 'member' : 'members'}`, () => {
      let cluster: Cluster
      beforeAll(async () => {
        cluster = await startCluster({ lane, members, policy })
      })
      afterAll(async () => {
        await cluster.stop()
      })
      contract('contract', () => cluster, lane.v2 === 'none' ? ['v3'] : ['v3', 'v2'])
    })
  }
}
console.info(`contract ran on etcd ${lanes.map(({ name }) => name).join(', ')}, with one member and with three`)
