import type { SessionStore } from '../../session/store.ts'
import type { RedisConnection } from './connection.ts'
import type { KeyNames } from './key-names.ts'
import { toInteger } from './reply.ts'
import { defineScript } from './script.ts'

/** KEYS: turns. ARGV: task, holder, now, holder and until as JSON. Whether the holder has it. */
const takeScript = defineScript(`
local turn = redis.call('HGET', KEYS[1], ARGV[1])
if turn then
  turn = cjson.decode(turn)
  if turn.holder ~= ARGV[2] and turn['until'] > tonumber(ARGV[3]) then return 0 end
end
-- First, since what has begun to write may go on when memory is full, and the turn is what frees it.
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[4])
return 1`)

/** The turns in Redis. */
export function createLeases(connection: RedisConnection, names: KeyNames): Pick<SessionStore, 'acquireLease'> {
  return {
    acquireLease: (task, holder, now, until) => connection.use(async ({ run }) =>
      toInteger(await run(takeScript, [names.turns], [task, holder, now, JSON.stringify({ holder, until })])) === 1),
  }
}
