import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster } from 'redis'
import { afterAll, beforeAll, describe, inject } from 'vitest'
import { createRedisStore } from '../../src/stores/redis.ts'
import type { RedisClient } from '../../src/stores/redis.ts'
import { runStoreContract } from '../support/run-contract.ts'

interface Connected {
  readonly client: RedisClient
  readonly close: () => Promise<unknown>
}

const url = inject('redisUrl')
const valkeyUrl = inject('valkeyUrl')
const nodes = inject('redisClusterNodes')

/** Runs the contract through two clients alternately, so that a store does not see its own connection only. */
function contractThrough(name: string, available: boolean, connect: () => Promise<Connected>): void {
  describe.skipIf(!available)(name, () => {
    const clients: Connected[] = []
    let turn = 0
    let cases = 0

    beforeAll(async () => {
      clients.push(await connect(), await connect())
    })

    afterAll(async () => {
      for (const { close } of clients) await close()
    })

    runStoreContract(name, async () => {
      const prefix = `contract-${name.replaceAll(/\W+/g, '-')}-${cases++}:`
      return {
        async open() {
          const connected = clients[turn++ % clients.length]
          if (connected === undefined) throw new Error('the clients are connected before the tests')
          return createRedisStore(connected.client, { prefix })
        },
        // Each case has a prefix of its own, and the server is deleted at the end.
        discard: async () => undefined,
      }
    })
  })
}

contractThrough('ioredis', url !== null, async () => {
  const client = new Redis(url ?? '')
  return { client, close: () => client.quit() }
})

contractThrough('ioredis Cluster', nodes !== null, async () => {
  const client = new Cluster([...nodes ?? []])
  return { client, close: () => client.quit() }
})

contractThrough('node-redis', url !== null, async () => {
  const client = await createClient({ url: url ?? '' }).connect()
  return { client, close: () => client.close() }
})

contractThrough('Valkey, ioredis', valkeyUrl !== null, async () => {
  const client = new Redis(valkeyUrl ?? '')
  return { client, close: () => client.quit() }
})

contractThrough('Valkey, node-redis', valkeyUrl !== null, async () => {
  const client = await createClient({ url: valkeyUrl ?? '' }).connect()
  return { client, close: () => client.close() }
})

contractThrough('node-redis cluster', nodes !== null, async () => {
  const rootNodes = (nodes ?? []).map(({ host, port }) => ({ socket: { host, port } }))
  const client = await createCluster({ rootNodes }).connect()
  return { client, close: () => client.close() }
})
