import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster } from 'redis'
import { onTestFinished } from 'vitest'
import { createRedisStore } from '../../src/stores/redis.ts'
import type { IoredisClient, RedisClient, RedisStoreOptions } from '../../src/stores/redis.ts'
import type { SessionHandle } from '../../src/base/handle.ts'
import type { SessionRecord } from '../../src/session/record.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { sampleHandle, sampleRecord } from '../../src/testing/samples.ts'
import type { ClusterNode } from './servers/redis-cluster.ts'

/** The libraries that a store works with. */
export const libraries = ['ioredis', 'node-redis'] as const
export type Library = (typeof libraries)[number]

/** Removes a server when the test is over, whatever its result. */
export function temporary<Server extends { remove(): Promise<void> }>(server: Server): Server {
  onTestFinished(() => server.remove())
  return server
}

/** An ioredis client that reconnects at once, until the test is over. */
export function connectIoredis(url: string): Redis {
  const client = new Redis(url, { retryStrategy: () => 10 })
  client.on('error', () => undefined)
  onTestFinished(() => client.disconnect())
  return client
}

/** A client that reconnects at once, until the test is over. */
export async function connectClient(library: Library, url: string): Promise<RedisClient> {
  if (library === 'ioredis') return connectIoredis(url)
  const client = createClient({ url, socket: { reconnectStrategy: () => 10 } })
  client.on('error', () => undefined)
  onTestFinished(() => client.destroy())
  return client.connect()
}

/** A client for a cluster, until the test is over. */
export async function connectCluster(
  library: Library,
  nodes: readonly ClusterNode[],
  user: { readonly username?: string; readonly password?: string } = {},
): Promise<RedisClient> {
  if (library === 'ioredis') {
    const client = new Cluster([...nodes], { clusterRetryStrategy: () => 10, redisOptions: user })
    client.on('error', () => undefined)
    onTestFinished(() => client.disconnect())
    return client
  }
  const client = createCluster({
    rootNodes: nodes.map(({ host, port }) => ({ socket: { host, port } })),
    defaults: { ...user, socket: { reconnectStrategy: () => 10 } },
  })
  client.on('error', () => undefined)
  onTestFinished(() => client.destroy())
  return client.connect()
}

/** A store on a client, closed when the test is over. */
export function openStore(client: RedisClient | string, options: RedisStoreOptions = {}): SessionStore {
  const store = createRedisStore(client, options)
  onTestFinished(() => store.close())
  return store
}

/** A command that a store sent, and its reply. */
export interface SentCommand {
  readonly name: string
  readonly args: readonly string[]
  reply: unknown
}

interface Recorded {
  readonly client: IoredisClient
  readonly sent: SentCommand[]
}

/** A client that records the commands that a store sends through it. */
export function recordCommands(client: IoredisClient): Recorded {
  const sent: SentCommand[] = []
  const call = async (name: string, args: string[]): Promise<unknown> => {
    const command: SentCommand = { name, args, reply: null }
    sent.push(command)
    command.reply = await client.call(name, args)
    return command.reply
  }
  const proxy = new Proxy(client, {
    get(target, name) {
      if (name === 'call') return call
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { client: proxy, sent }
}

/** How many bytes the texts of a reply have. */
export function sizeOf(reply: unknown): number {
  if (!Array.isArray(reply)) return Buffer.byteLength(`${reply}`)
  return reply.reduce((sum: number, item) => sum + sizeOf(item), 0)
}

/** Adds sessions of one user with the handles from `sampleHandle(1)` on. */
export async function insertMany(
  store: SessionStore,
  many: number,
  overrides: (number: number) => Partial<SessionRecord>,
): Promise<SessionHandle[]> {
  const handles = Array.from({ length: many }, (_, number) => sampleHandle(number + 1))
  await Promise.all(handles.map((handle, number) => store.insert(sampleRecord({ handle, ...overrides(number) }))))
  return handles
}
