import { defineScript } from './script.ts'
import type { Script } from './script.ts'

/**
 * `newestAfter(key, createdAt, handle, count)`: at most `count` entries of an index by time after that position, newest
 * first, each followed by its `createdAt`. The entry at the position may be gone. Handles are compared byte by byte, in
 * the order of Redis: that of Lua's `<` depends on the server's locale.
 */
export const newestAfter = `
local function isAfter(member, handle)
  for index = 1, math.min(#member, #handle) do
    local left, right = string.byte(member, index), string.byte(handle, index)
    if left ~= right then return left < right end
  end
  return #member < #handle
end
local function newestAfter(key, createdAt, handle, count)
  local from = redis.call('ZCOUNT', key, '(' .. createdAt, '+inf')
  local to = from + redis.call('ZCOUNT', key, createdAt, createdAt)
  while from < to do
    local middle = math.floor((from + to) / 2)
    if isAfter(redis.call('ZREVRANGE', key, middle, middle)[1], handle) then to = middle else from = middle + 1 end
  end
  return redis.call('ZREVRANGE', key, from, from + count - 1, 'WITHSCORES')
end`

/** KEYS: an index by `createdAt`. ARGV: the arguments of `newestAfter` that follow the key. Returns what it returns. */
export const userPageScript: Script = defineScript(`${newestAfter}
return newestAfter(KEYS[1], ARGV[1], ARGV[2], ARGV[3])`)

/**
 * KEYS: a user's index, the user's not-befores, and if all keys are on one server: the not-before of all users, and the
 * session's parts of the indexes by expiry and by creation. ARGV: createdAt, handle, tenant, then score and member for
 * the expiry index. Adds a login to the indexes, unless a not-before refuses it. Returns whether it did.
 */
export const listLoginScript: Script = defineScript(`
local createdAt = tonumber(ARGV[1])
local times = redis.call('HMGET', KEYS[2], '', ARGV[3])
if KEYS[3] then table.insert(times, redis.call('HGET', KEYS[3], '')) end
for index = 1, 3 do
  if times[index] and tonumber(times[index]) > createdAt then return 0 end
end
redis.call('ZADD', KEYS[1], 'NX', ARGV[1], ARGV[2])
if KEYS[3] then
  redis.call('ZADD', KEYS[4], 'NX', ARGV[4], ARGV[5])
  redis.call('ZADD', KEYS[5], 'NX', ARGV[1], ARGV[2])
end
return 1`)

/**
 * KEYS: not-befores, and the user's index if they are a user's. ARGV: tenant or an empty text, time, for how long to
 * remember it, and with an index the arguments of `newestAfter`. Refuses logins before that time from now on. Then
 * returns what `newestAfter` returns.
 */
export const refuseLoginsScript: Script = defineScript(`${newestAfter}
local known, left = redis.call('HGET', KEYS[1], ARGV[1]), redis.call('PTTL', KEYS[1])
-- Because the script deletes first, Redis allows its other writes even when memory is full.
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], math.max(known or 0, ARGV[2]))
redis.call('PEXPIRE', KEYS[1], math.max(left, ARGV[3]))
return KEYS[2] and newestAfter(KEYS[2], ARGV[4], ARGV[5], ARGV[6]) or {}`)

/**
 * KEYS: a part of the expiry index. ARGV: score and member of the last entry of the previous page, how many. Returns
 * entries, each followed by its score. Continues after that entry. If it is gone or has another score, continues at the
 * first entry with the given score, since scores never decrease.
 */
export const expiryPageScript: Script = defineScript(`
local rank, score = redis.call('ZRANK', KEYS[1], ARGV[2]), redis.call('ZSCORE', KEYS[1], ARGV[2])
local from = rank and tonumber(score) == tonumber(ARGV[1]) and rank + 1
  or redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. ARGV[1])
return redis.call('ZRANGE', KEYS[1], from, from + ARGV[3] - 1, 'WITHSCORES')`)

/**
 * KEYS: a user's index. ARGV: minimum age, then handles without a session. Removes them from the index, except for
 * those that may belong to a login in progress, whose index entry can exist a moment before its session.
 */
export const repairIndexScript: Script = defineScript(`
local time = redis.call('TIME')
local before = time[1] * 1000 - tonumber(ARGV[1])
for index = 2, #ARGV do
  local createdAt = redis.call('ZSCORE', KEYS[1], ARGV[index])
  if createdAt and tonumber(createdAt) < before then redis.call('ZREM', KEYS[1], ARGV[index]) end
end`)
