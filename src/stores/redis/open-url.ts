import { jitter } from '../../base/jitter.ts'
import type { Milliseconds } from '../../base/time.ts'
import { findDriver, loadDriver } from '../load-driver.ts'
import type { RedisDriver } from './driver.ts'
import { ioredisDriver, letProcessEnd } from './ioredis.ts'
import { nodeRedisDriver } from './node-redis.ts'

/** The longest pause between two attempts to reconnect. */
const LONGEST: Milliseconds = 2000

/**
 * How long to wait before the next attempt to reconnect, after this many. When a server comes back, its clients do not
 * all connect in the same moment.
 */
export function reconnectDelay(attempts: number): Milliseconds {
  return jitter(Math.min(50 * 2 ** attempts, LONGEST))
}

/**
 * Opens a client for a URL with the library that is installed; ioredis first, then `redis`.
 * @throws GeneralError (`MISUSE`) if neither is installed.
 */
export async function openUrl(url: string): Promise<RedisDriver> {
  const ioredis = await findDriver('ioredis')
  if (ioredis !== null) {
    // A command whose answer was lost is reported as failed, not sent twice.
    const client = new ioredis.Redis(url, { autoResendUnfulfilledCommands: false, retryStrategy: reconnectDelay })
    client.on('error', ignore)
    letProcessEnd(client)
    return ioredisDriver(client)
  }
  const { createClient } = await loadDriver('redis')
  const client = createClient({ url, socket: { reconnectStrategy: reconnectDelay } })
  client.on('error', ignore)
  client.unref()
  // Not awaited, since it retries as long as the server is away. Commands wait for it, each up to its time limit.
  client.connect().catch(ignore)
  return nodeRedisDriver(client)
}

function ignore(): void {
  // The commands report the error. Without a listener the library would print it or end the process.
}
