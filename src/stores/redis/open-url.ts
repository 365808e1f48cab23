import { findDriver, loadDriver } from '../load-driver.ts'
import type { RedisDriver } from './driver.ts'
import { ioredisDriver } from './ioredis.ts'
import { nodeRedisDriver } from './node-redis.ts'

/**
 * Opens a client for a URL with the library that is installed; ioredis first, then `redis`.
 * @throws GeneralError (`MISUSE`) if neither is installed.
 */
export async function openUrl(url: string): Promise<RedisDriver> {
  const ioredis = await findDriver('ioredis')
  if (ioredis !== null) {
    // A command whose answer was lost is reported as failed, not sent twice.
    const client = new ioredis.Redis(url, { autoResendUnfulfilledCommands: false })
    client.on('error', ignore)
    return ioredisDriver(client)
  }
  const { createClient } = await loadDriver('redis')
  const client = createClient({ url })
  client.on('error', ignore)
  // Not awaited, since it retries as long as the server is away. Commands wait for it, each up to its time limit.
  client.connect().catch(ignore)
  return nodeRedisDriver(client)
}

function ignore(): void {
  // The commands report the error. Without a listener the library would print it or end the process.
}
