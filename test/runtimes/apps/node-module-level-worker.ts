import { createSessions } from '../../../src/index.ts'
import type { IoredisClient } from '../../../src/stores/redis/ioredis.ts'
import { createRedisStore } from '../../../src/stores/redis.ts'

// As module-level-worker.ts, for the store that needs a module of Node: it runs with `nodejs_compat`.

const driver: IoredisClient = {
  isCluster: false,
  options: {},
  async call() {
    throw new Error('reached redis')
  },
  duplicate: () => driver,
  subscribe: async () => undefined,
  on: () => undefined,
  disconnect: () => undefined,
}
const store = createRedisStore(driver)
const sessions = createSessions({ origin: 'https://app.example.com', store })

const worker: { fetch(): Promise<Response> } = {
  async fetch() {
    const failure: unknown = await sessions.ready().catch((error: unknown) => error)
    const cause = failure instanceof Error ? failure.cause : null
    return new Response(cause instanceof Error ? cause.message : String(failure))
  },
}

export default worker
