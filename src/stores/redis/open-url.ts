import { findDriver, loadDriver } from '../load-driver.ts'
import type { RedisDriver } from './driver.ts'
import { ioredisDriver } from './ioredis.ts'
import { nodeRedisDriver } from './node-redis.ts'

/**
 * Opens a client for a URL with the library that is installed, ioredis first.
 * @throws GeneralError (`MISUSE`) if there is none.
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
  // Not awaited, since it tries for as long as the server is away; commands wait for it, each for its own time.
  client.connect().catch(ignore)
  return nodeRedisDriver(client)
}

function ignore(): void {
  // The commands that fail tell of it; without a listener the library would print it or end the process.
}
