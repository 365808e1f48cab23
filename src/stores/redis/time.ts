import type { SessionStore } from '../../session/store.ts'
import type { RedisConnection } from './connection.ts'
import type { KeyNames } from './key-names.ts'
import { toInteger, toList } from './reply.ts'
import { defineScript } from './script.ts'

/** KEYS: one that says which server is asked. Seconds, and the microseconds beyond them. */
const timeScript = defineScript('return redis.call(\'TIME\')')

/** The time of Redis: in a cluster that of the server that keeps the change log, for every process. */
export function createTime(connection: RedisConnection, names: KeyNames): Pick<SessionStore, 'time'> {
  return {
    time: () => connection.use(async ({ run }) => {
      const [seconds, microseconds] = toList(await run(timeScript, [names.changes], []))
      return toInteger(seconds) * 1000 + Math.floor(toInteger(microseconds) / 1000)
    }),
  }
}
