import type { SessionStore } from '../../session/store.ts'
import type { RedisConnection } from './connection.ts'
import type { KeyNames } from './key-names.ts'
import { toInteger } from './reply.ts'
import { defineScript } from './script.ts'

/** KEYS: leases. ARGV: task, holder, now, holder and until as JSON. Returns whether the holder has the lease. */
const acquireScript = defineScript(`
local lease = redis.call('HGET', KEYS[1], ARGV[1])
if lease then
  lease = cjson.decode(lease)
  if lease.holder ~= ARGV[2] and lease['until'] > tonumber(ARGV[3]) then return 0 end
end
-- Deleting first makes Redis allow the write when memory is full: the task that needs the lease frees memory.
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[4])
return 1`)

/** The leases in Redis. */
export function createLeases(connection: RedisConnection, names: KeyNames): Pick<SessionStore, 'acquireLease'> {
  return {
    acquireLease: (task, holder, now, until) => connection.use(async ({ run }) =>
      toInteger(await run(acquireScript, [names.turns], [task, holder, now, JSON.stringify({ holder, until })])) === 1),
  }
}
