import type { SessionStore } from '../../session/store.ts'
import type { RedisConnection } from './connection.ts'
import type { KeyNames } from './key-names.ts'
import { toInteger, toList } from './reply.ts'
import { defineScript } from './script.ts'

/** KEYS: one that selects the server. Returns seconds, and the microseconds beyond them. */
const timeScript = defineScript('return redis.call(\'TIME\')')

/** The time of Redis. In a cluster, every process reads the clock of the server that has the change log. */
export function createTime(connection: RedisConnection, names: KeyNames): Pick<SessionStore, 'time'> {
  return {
    time: () => connection.use(async ({ run }) => {
      const [seconds, microseconds] = toList(await run(timeScript, [names.changes], []))
      return toInteger(seconds) * 1000 + Math.floor(toInteger(microseconds) / 1000)
    }),
  }
}
