import type { EpochMilliseconds } from '../../base/time.ts'
import { script } from './script.ts'
import type { Script } from './script.ts'

/**
 * How much longer than the session its key is kept at most, in milliseconds; three hours less at least. Redis drops what
 * nobody cleans up; until then `removeExpired` does, by the time that it is given.
 */
const SLACK = 24 * 60 * 60 * 1000

/**
 * How long from now Redis is to keep a session. Counted from the caller's time, so that it does not matter what time
 * Redis thinks it is.
 */
export function keepFor(expiresAt: EpochMilliseconds, now: EpochMilliseconds): number {
  return Math.max(expiresAt - now, 0) + SLACK
}

/** `userOf(session)` */
export const userOf: string = `
local function userOf(session) return session and string.match(session, '^${'[^\\n]*\\n'.repeat(3)}([^\\n]*)') end`

/** `isAlive(session, now)` */
const isAlive = `
local function isAlive(session, now) return session and tonumber(string.sub(session, 1, 16)) > tonumber(now) end`

/** `nextVersion(version)`: exact up to 2^53. */
const nextVersion = `
local function nextVersion(version) return string.format('%.0f', tonumber(version) + 1) end`

/**
 * KEYS: sessions. ARGV: for each of them the expected hash with the end of its line, the bounds `now`, `rotatedAfter`
 * and `createdAfter` as they stand in a session, and what it has next from `rotatedAt` to the end of the token's line.
 * For each of them nil, or the session from its third line on.
 *
 * What is looked at is taken by its place and compared as text, since patterns and numbers are most of what a script
 * costs here. How long the key is kept is set anew where `expiresAt` differs in more than its last seven digits, which
 * are less than three hours.
 */
export const rotateScript: Script = script(`
local sub = string.sub
local function rotate(key, expectedHash, now, rotatedAfter, createdAfter, next)
  -- What is no text is told of by whoever reads it next: others must not fail with it.
  local session = redis.pcall('GET', key)
  if type(session) ~= 'string' then return false end
  local token = 35 + #expectedHash
  if sub(session, 35, token - 1) ~= expectedHash then return false end
  local rest = string.find(session, '\\n', token, true) + 1
  if sub(session, 1, 16) <= now or sub(session, 18, 33) <= rotatedAfter
    or sub(session, rest, rest + 15) <= createdAfter then return false end
  local expiresAt = sub(next, 1, 16) + sub(session, rest + 17, rest + 32)
  expiresAt = math.min(expiresAt, tonumber(sub(session, rest + 34, rest + 49)) or ${Number.MAX_SAFE_INTEGER})
  local ends = string.format('%016.0f', expiresAt)
  local keepFor = math.max(expiresAt - now, 0) + ${SLACK}
  if sub(ends, 1, 9) ~= sub(session, 1, 9) then redis.call('PEXPIRE', key, keepFor) end
  local kept = sub(session, rest)
  local changed = ends .. ' ' .. next .. kept
  if redis.pcall('SET', key, changed, 'KEEPTTL').err then
    -- Memory is full, but what has begun to write may go on: a rotation takes none.
    redis.call('PEXPIRE', key, keepFor)
    redis.call('SET', key, changed, 'KEEPTTL')
  end
  return kept
end
local rotated = {}
for index, key in ipairs(KEYS) do
  local from = (index - 1) * 5
  rotated[index] = rotate(key, ARGV[from + 1], ARGV[from + 2], ARGV[from + 3], ARGV[from + 4], ARGV[from + 5])
end
return rotated`)

/** KEYS: session. ARGV: generation and branch with a space after each. */
export const confirmScript: Script = script(`
local session = redis.call('GET', KEYS[1])
if not session then return end
local from = string.match(session, '^[^\\n]*\\n()')
local to = from + #ARGV[1]
if string.sub(session, from, to - 1) == ARGV[1] then redis.call('SETRANGE', KEYS[1], to - 1, '1') end`)

/** KEYS: session. ARGV: now, info, expected version or empty. Whether it did. */
export const updateInfoScript: Script = script(`${isAlive}${nextVersion}
local session = redis.call('GET', KEYS[1])
if not isAlive(session, ARGV[1]) then return 0 end
local head, version = string.match(session, '^(${'[^\\n]*\\n'.repeat(5)})(%S+)')
if ARGV[3] ~= '' and version ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], head .. nextVersion(version) .. ' ' .. ARGV[2], 'KEEPTTL')
return 1`)

/** `setPayload(key, payload, now)`: the new version, or false. */
export const setPayload: string = `${isAlive}${nextVersion}
local function setPayload(key, payload, now)
  local session = redis.call('GET', key)
  if not isAlive(session, now) then return false end
  local head, version, tail = string.match(session, '^(${'[^\\n]*\\n'.repeat(4)})(%S+)[^\\n]*(.*)$')
  version = nextVersion(version)
  redis.call('SET', key, head .. version .. ' ' .. payload .. tail, 'KEEPTTL')
  return version
end`

/** KEYS: session. ARGV: payload, now. The new version, or nil. */
export const updatePayloadScript: Script = script(`${setPayload}
return setPayload(KEYS[1], ARGV[1], ARGV[2])`)

/** KEYS: session. ARGV: now. 1 if it had expired and is deleted, 0 if there is none, else when it will expire. */
export const expireScript: Script = script(`
local expiresAt = redis.call('GETRANGE', KEYS[1], 0, 15)
if expiresAt == '' then return '0' end
if tonumber(expiresAt) > tonumber(ARGV[1]) then return expiresAt end
redis.call('DEL', KEYS[1])
return '1'`)

/**
 * KEYS: session, its removal. ARGV: name of the removal, how long to remember it, 1 if the user matters, user id.
 * Deletes the session but remembers that this was not announced yet. The name of the removal that is to be announced
 * (this one, or an earlier one that was broken off) and the user id, or nil.
 */
export const claimScript: Script = script(`${userOf}
local function mine(userId) return ARGV[3] ~= '1' or userId == ARGV[4] end
local userId = userOf(redis.call('GET', KEYS[1]))
if userId then
  if not mine(userId) then return false end
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[2], 'removal', ARGV[1], 'user', userId)
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
  return {ARGV[1], userId}
end
local earlier = redis.call('HMGET', KEYS[2], 'removal', 'user')
if not earlier[1] or not mine(earlier[2]) then return false end
return earlier`)

/**
 * KEYS: a user's index. ARGV: grace period, then handles without a session. Drops them, but not those that may belong
 * to a login under way, whose index entry can be there a moment before its session.
 */
export const repairIndexScript: Script = script(`
local time = redis.call('TIME')
local before = time[1] * 1000 - tonumber(ARGV[1])
for index = 2, #ARGV do
  local createdAt = redis.call('ZSCORE', KEYS[1], ARGV[index])
  if createdAt and tonumber(createdAt) < before then redis.call('ZREM', KEYS[1], ARGV[index]) end
end`)
