import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { softwareFor } from './engine.ts'
import { startRedis, type RedisSettings } from './redis.ts'
import type { TestServer } from './server.ts'
import { freePort } from './workspace.ts'

/** Where a node of the cluster listens. */
export interface ClusterNode {
  readonly host: string
  readonly port: number
}

/** A Redis Cluster of three primaries. */
export interface RedisCluster {
  readonly nodes: readonly ClusterNode[]
  readonly primaries: readonly TestServer[]
  /** The replica of each primary, in the same order; empty if `replicas` was not set. */
  readonly replicas: readonly TestServer[]
  /** Stops all nodes and deletes their data. */
  remove(): Promise<void>
}

const slots = 16384
const primaryCount = 3
const formationLimit = 60_000

/** Starts a Redis Cluster, and waits until every node reports that all slots are served. */
export async function startRedisCluster(options: { readonly replicas?: boolean } = {}): Promise<RedisCluster> {
  const count = options.replicas === true ? 2 * primaryCount : primaryCount
  const servers = await Promise.all(Array.from({ length: count }, startNode))
  const clients = servers.map(({ url }) => new Redis(url))
  const primaries = clients.slice(0, primaryCount)
  const replicas = clients.slice(primaryCount)
  try {
    await Promise.all(clients.map((client, index) => client.cluster('SET-CONFIG-EPOCH', index + 1)))
    await Promise.all(primaries.map((client, index) => client.cluster('ADDSLOTS', ...slotsOf(index))))
    await introduceAll(clients, servers)
    await Promise.all(clients.map((client) => untilTrue(() => knowsAll(client, count))))
    await Promise.all(replicas.map(async (client, index) => {
      const primary = primaries[index]
      if (primary !== undefined) await client.cluster('REPLICATE', await primary.cluster('MYID'))
    }))
    await Promise.all(clients.map((client) => untilTrue(() => servesAll(client))))
  } catch (error) {
    await Promise.all(servers.map((server) => server.remove()))
    throw error
  } finally {
    for (const client of clients) client.disconnect()
  }
  return {
    nodes: servers.map(({ port }) => ({ host: '127.0.0.1', port })),
    primaries: servers.slice(0, primaryCount),
    replicas: servers.slice(primaryCount),
    async remove() {
      await Promise.all(servers.map((server) => server.remove()))
    },
  }
}

async function startNode(): Promise<TestServer> {
  const settings = {
    'cluster-enabled': 'yes',
    // Nobody is to be taken for dead who only has to wait for the processor.
    'cluster-node-timeout': '15000',
  }
  if (softwareFor('redis') === 'redis-6.2') return startOldNode(settings)
  return startRedis({ ...settings, 'cluster-port': `${await freePort()}` })
}

/**
 * Redis 6.2 has no such setting: its other port is 10,000 above the first. `freePort` has not looked at that one.
 */
async function startOldNode(settings: RedisSettings, attempts = 10): Promise<TestServer> {
  let port = await freePort()
  // Both must be below the ports that systems use for outgoing connections.
  while (port >= 22_000) port = await freePort()
  try {
    return await startRedis({ ...settings, port: `${port}` })
  } catch (error) {
    if (attempts === 1 || !`${error}`.includes('Address already in use')) throw error
    return startOldNode(settings, attempts - 1)
  }
}

function slotsOf(index: number): number[] {
  const from = Math.floor(slots * index / primaryCount)
  const to = Math.floor(slots * (index + 1) / primaryCount)
  return Array.from({ length: to - from }, (_, offset) => from + offset)
}

async function introduceAll(clients: readonly Redis[], servers: readonly TestServer[]): Promise<void> {
  const [first] = clients
  for (const [index, server] of servers.entries()) {
    const busPort = await clients[index]?.config('GET', 'cluster-port')
    if (index > 0) await first?.call('CLUSTER', 'MEET', '127.0.0.1', server.port, ...busPort?.slice(1) ?? [])
  }
}

async function knowsAll(client: Redis, count: number): Promise<boolean> {
  const lines = `${await client.cluster('NODES')}`.trim().split('\n')
  return lines.length === count && lines.every((line) => !line.includes('handshake'))
}

async function servesAll(client: Redis): Promise<boolean> {
  const [cluster, replication] = await Promise.all([client.cluster('INFO'), client.info('replication')])
  return cluster.includes('cluster_state:ok') && !replication.includes('master_link_status:down')
}

async function untilTrue(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + formationLimit
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`the Redis Cluster did not form in ${formationLimit} ms`)
    await sleep(20)
  }
}
