import { newestAfter } from './index-scripts.ts'
import { defineScript } from './script.ts'
import type { Script } from './script.ts'

/** KEYS: events, their ends, the orders that the event is in. ARGV: id, event, at, until. */
export const appendEventScript: Script = defineScript(`
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
for index = 3, #KEYS do redis.call('ZADD', KEYS[index], ARGV[3], ARGV[1]) end
return 1`)

/**
 * KEYS: events, orders. ARGV: at and id of the position, how many of each order. Returns the newest events after the
 * position, those of each order by themselves.
 */
export const eventPageScript: Script = defineScript(`${newestAfter}
local events = {}
for index = 2, #KEYS do
  local ids = {}
  for place, text in ipairs(newestAfter(KEYS[index], ARGV[1], ARGV[2], ARGV[3])) do
    if place % 2 == 1 then table.insert(ids, text) end
  end
  for _, event in ipairs(#ids > 0 and redis.call('HMGET', KEYS[1], unpack(ids)) or {}) do
    if event then table.insert(events, event) end
  end
end
return events`)
