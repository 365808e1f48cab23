// A Redis Cluster whose primary of the change log is killed under load.
import { Cluster, Redis } from 'ioredis'
import { describe, onTestFinished, test, vi } from 'vitest'
import { surviveFailure } from '../support/failover.ts'
import { openStore, temporary } from '../support/redis-store.ts'
import { missingSoftware } from '../support/servers/programs.ts'
import { startRedisCluster } from '../support/servers/redis-cluster.ts'
import { createTestCore } from '../support/test-core.ts'

const isMissing = missingSoftware(['redis']).length > 0 && process.env['CI'] !== 'true'

/** Sends a command to one node. */
async function ask(url: string, command: string, ...parameters: (string | number)[]): Promise<string> {
  const client = new Redis(url)
  try {
    return `${await client.call(command, ...parameters)}`
  } finally {
    client.disconnect()
  }
}

describe.skipIf(isMissing)('a Redis Cluster', () => {
  test('EDGE-11: the primary of the change log is killed under load; its replica takes over', async () => {
    const cluster = temporary(await startRedisCluster({ replicas: true }))
    const client = new Cluster([...cluster.nodes], {
      clusterRetryStrategy: () => 50,
      redisOptions: { maxRetriesPerRequest: 2 },
    })
    client.on('error', () => undefined)
    onTestFinished(() => client.disconnect())
    const store = openStore(client, { replicas: 1, requestTimeout: '2s' })
    const slot = await client.cluster('KEYSLOT', 'keyturn:{shared}:changes')
    // Each primary has a third of the slots.
    const index = Math.floor(slot * 3 / 16384)
    const [primary, replica] = [cluster.primaries[index], cluster.replicas[index]]
    if (primary === undefined || replica === undefined) throw new Error('the cluster has three primaries')
    await surviveFailure(createTestCore({ store }), {
      async fail() {
        await primary.kill9()
        // What an election would do some time later.
        await ask(replica.url, 'CLUSTER', 'FAILOVER', 'TAKEOVER')
        // With `replicas: 1` the new primary acknowledges nothing until it has a replica again.
        await primary.restart()
        await vi.waitUntil(async () => (await ask(replica.url, 'INFO', 'replication')).includes('state=online'), {
          timeout: 120_000, interval: 100,
        })
        await vi.waitUntil(async () => {
          const states = await Promise.all(cluster.replicas.map(({ url }) => ask(url, 'CLUSTER', 'INFO')))
          return states.every(state => state.includes('cluster_state:ok'))
        }, { timeout: 120_000, interval: 100 })
      },
      after: () => openStore(client),
    })
  })
})
