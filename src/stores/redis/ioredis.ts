import { GeneralError } from '../../base/errors.ts'
import type { RedisDriver } from './driver.ts'

/** The members of an ioredis client (`Redis` or `Cluster`) that a store uses. */
export interface IoredisClient {
  readonly isCluster: boolean
  readonly options: object
  call(command: string, args: string[]): Promise<unknown>
  duplicate(override?: object): IoredisClient
  subscribe(channel: string): Promise<unknown>
  on(event: string, listener: () => void): unknown
  disconnect(): void
}

/** The members that a store uses of an ioredis `Cluster` in addition. */
export interface IoredisCluster extends Omit<IoredisClient, 'duplicate'> {
  duplicate(startupNodes?: [], override?: object): IoredisClient
  nodes(role: 'master'): readonly { call(command: string, args: string[]): Promise<unknown> }[]
  pipeline(commands: string[][]): { exec(): Promise<readonly IoredisReply[] | null> }
}

/**
 * What the store's own connections need, whatever the application's client is set to: commands wait for the connection,
 * and a subscription comes back with it.
 */
const ofDuplicates = { enableOfflineQueue: true, autoResubscribe: true, lazyConnect: false } as const

/** The result of one command of a pipeline. */
export type IoredisReply = readonly [error: Error | null, reply: unknown]

/** Makes a driver from an ioredis client. @throws GeneralError (`MISUSE`) if the client would read from replicas. */
export function ioredisDriver(client: IoredisClient | IoredisCluster): RedisDriver {
  const { options } = client
  if ('scaleReads' in options && options.scaleReads !== undefined && options.scaleReads !== 'master') {
    throw new GeneralError('MISUSE', 'sessions must be read from primaries: the cluster\'s scaleReads must be "master"')
  }
  const send = ([name = '', ...args]: readonly string[]): Promise<unknown> => client.call(name, args)
  const common = {
    async duplicate() {
      const other = isCluster(client) ? client.duplicate([], ofDuplicates) : client.duplicate(ofDuplicates)
      // Without a listener the library writes every failed attempt to the console. The commands report the error, too.
      other.on('error', ignore)
      letProcessEnd(other)
      return ioredisDriver(other)
    },
    async subscribe(channel: string, wake: () => void) {
      client.on('message', wake)
      await client.subscribe(channel)
      // After a reconnection, also of a cluster's subscriber: messages may have been missed meanwhile.
      for (const event of ['ready', '+subscriber']) client.on(event, wake)
    },
    close: () => client.disconnect(),
  }
  if (!isCluster(client)) {
    return {
      ...common,
      cluster: false,
      send: (_key, command) => send(command),
      sendAfter: (_key, command) => send(command),
      sendToAll: async command => [await send(command)],
    }
  }
  return {
    ...common,
    cluster: true,
    send: (_key, command) => send(command),
    // The library sends a command without a key to any node. In a pipeline it goes to the node of the command with a
    // key.
    async sendAfter(key, command) {
      const ended = (await client.pipeline([['exists', key], ['call', ...command]]).exec())?.[1]
      if (ended === undefined) throw new Error('the command was not answered')
      const [error, reply] = ended
      if (error !== null) throw error
      return reply
    },
    async sendToAll([name = '', ...args]) {
      // The library knows the cluster's nodes only after the first answer.
      await client.call('CLUSTER', ['INFO'])
      return Promise.all(client.nodes('master').map(node => node.call(name, args)))
    },
  }
}

/**
 * Lets the process end although this client is open, or waits to connect again: while there are calls, their time limit
 * keeps the process alive. Call it for a new client.
 */
export function letProcessEnd(client: Pick<IoredisClient, 'on'>): void {
  client.on('connect', () => unref(Reflect.get(client, 'stream')))
  client.on('reconnecting', () => unref(Reflect.get(client, 'reconnectTimeout')))
}

function unref(handle: unknown): void {
  const isHandle = typeof handle === 'object' && handle !== null && 'unref' in handle
  if (isHandle && typeof handle.unref === 'function') handle.unref()
}

function isCluster(client: IoredisClient | IoredisCluster): client is IoredisCluster {
  return client.isCluster
}

function ignore(): void {
  // The commands report the error.
}
