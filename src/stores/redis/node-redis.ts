import { GeneralError } from '../../base/errors.ts'
import { unsupported } from '../../base/supported-version.ts'
import type { RedisDriver } from './driver.ts'
import { tryAgain } from './try-again.ts'

interface NodeRedisCommon {
  /** Lets the process end although the client is open. A cluster does not have it. */
  unref?(): void
  connect(): Promise<unknown>
  subscribe(channel: string, listener: () => void): Promise<unknown>
  on(event: string, listener: () => void): unknown
  destroy(): void
}

/** The members of a client of `redis` (node-redis) that a store uses. The application connects its client. */
export interface NodeRedisClient extends NodeRedisCommon {
  sendCommand(command: readonly string[]): Promise<unknown>
  duplicate(): NodeRedisClient
}

/** The members of a cluster of `redis` (node-redis) that a store uses. The application connects its cluster. */
export interface NodeRedisCluster extends NodeRedisCommon {
  readonly masters: readonly unknown[]
  sendCommand(firstKey: string | undefined, isReadonly: boolean | undefined, command: string[]): Promise<unknown>
  nodeClient(node: unknown): Promise<NodeRedisSender>
  getNodeClientForKey(key: string): Promise<NodeRedisSender>
  duplicate(): NodeRedisCluster
}

interface NodeRedisSender {
  sendCommand(command: readonly string[]): Promise<unknown>
}

/**
 * Makes a driver from a node-redis client. `connected` resolves when the client has its first connection.
 * @throws GeneralError (`MISUSE`) for a client of redis 4, which has no `destroy`
 */
export function nodeRedisDriver(
  client: NodeRedisClient | NodeRedisCluster,
  connected: Promise<unknown> = Promise.resolve(),
): RedisDriver {
  if (!('destroy' in client)) throw new GeneralError('MISUSE', unsupported('a client of redis 4', 'redis 5.0 or newer'))
  const common = {
    async duplicate() {
      const other = client.duplicate()
      // Without a listener a connection error would end the process. The commands report the error, too.
      other.on('error', ignore)
      other.unref?.()
      const connecting = other.connect()
      if (isCluster(other)) await connecting
      // A client for one server retries as long as the server is away. Commands wait for it, each up to its time limit.
      else connecting.catch(ignore)
      return nodeRedisDriver(other, connecting)
    },
    async subscribe(channel: string, wake: () => void) {
      await connected
      await client.subscribe(channel, wake)
      // After a reconnection: messages may have been missed meanwhile.
      client.on('ready', wake)
    },
    close() {
      destroy(client)
      // A client that is destroyed while it connects opens the connection all the same.
      client.on('connect', () => destroy(client))
    },
  }
  if (!isCluster(client)) {
    const send = (command: readonly string[]): Promise<unknown> => client.sendCommand(command)
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
    send: (key, command) => tryAgain(() => client.sendCommand(key, false, [...command])),
    sendAfter: async (key, command) => (await client.getNodeClientForKey(key)).sendCommand(command),
    sendToAll: command => Promise.all(client.masters.map(async node =>
      (await client.nodeClient(node)).sendCommand(command))),
  }
}

function isCluster(client: NodeRedisClient | NodeRedisCluster): client is NodeRedisCluster {
  return 'masters' in client
}

function destroy(client: NodeRedisCommon): void {
  try {
    client.destroy()
  } catch {
    // It was closed already.
  }
}

function ignore(): void {
  // The commands report the error.
}
