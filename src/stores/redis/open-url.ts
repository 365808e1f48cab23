import { GeneralError } from '../../base/errors.ts'
import type { RedisDriver } from './driver.ts'
import { ioredisDriver } from './ioredis.ts'
import { nodeRedisDriver } from './node-redis.ts'

/**
 * Opens a client for a URL with the library that is installed, ioredis first.
 * @throws GeneralError (`MISUSE`) if there is none.
 */
export async function openUrl(url: string): Promise<RedisDriver> {
  return await openWithIoredis(url) ?? await openWithNodeRedis(url) ?? missing()
}

async function openWithIoredis(url: string): Promise<RedisDriver | null> {
  const library = await installed(() => import('ioredis'))
  if (library === null) return null
  // A command whose answer was lost is reported as failed, not sent twice.
  const client = new library.Redis(url, { autoResendUnfulfilledCommands: false })
  client.on('error', ignore)
  return ioredisDriver(client)
}

async function openWithNodeRedis(url: string): Promise<RedisDriver | null> {
  const library = await installed(() => import('redis'))
  if (library === null) return null
  const client = library.createClient({ url })
  client.on('error', ignore)
  // Not awaited, since it tries for as long as the server is away; commands wait for it, each for its own time.
  client.connect().catch(ignore)
  return nodeRedisDriver(client)
}

/** A module, or null if it is not installed; other failures to load it are not hidden. */
async function installed<Module>(load: () => Promise<Module>): Promise<Module | null> {
  try {
    return await load()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return null
    throw error
  }
}

function missing(): never {
  throw new GeneralError('MISUSE', 'a store on a redis:// URL needs a client library: run "npm install ioredis"')
}

function ignore(): void {
  // The commands that fail tell of it; without a listener the library would print it or end the process.
}
