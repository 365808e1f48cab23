import type { StoreKind } from '../kind.ts'
import { keyPrefixRule, redisSchemes } from './options.ts'

/** Redis, for the registry of stores. Every server that speaks the Redis protocol has this name in traces. */
export const redisKind: StoreKind = {
  name: 'redis',
  title: 'Redis',
  schemes: redisSchemes,
  example: 'redis://db.example.com',
  system: 'redis',
  isFile: false,
  prefix: keyPrefixRule,
  schema: null,
  hasPool: false,
  prefixFor: (appId, prefix) => `${prefix.replace(/:$/, '')}_${appId}:`,
  // A Redis store has no tables, so `migrate` has no effect.
  async open(url, { migrate: _, poolSize: __, ...naming }) {
    const { createRedisStore } = await import('../redis.ts')
    return createRedisStore(url, naming)
  },
  async inspect(url, naming) {
    const { inspectServer } = await import('./inspect.ts')
    return inspectServer(url, naming)
  },
  migrations: null,
}
