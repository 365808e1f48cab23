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

/** The pattern of so many whole lines. */
const lines = (count: number): string => '[^\\n]*\\n'.repeat(count)

/**
 * `ownerOf(session)`: user id, tenant id and access token lifetime. `fits(session, kind, first, second)`: whether the
 * session is one that a removal is about: `any`, of a `user`, of a user in a `tenant`, or one whose token is `unchanged`
 * (`tokenText` and `deliveryText` of the session's text).
 */
export const ownerOf: string = `
local function ownerOf(session)
  local kept, user = string.match(session, '^${lines(5)}([^\\n]*)\\n([^\\n]*)')
  return user, string.match(kept, '^${'%S+ '.repeat(9)}(.*)$'), tonumber(string.sub(kept, 69, 84))
end
local function fits(session, kind, first, second)
  if kind == 'unchanged' then
    return string.sub(session, 54, 53 + #first) == first and string.sub(session, 18, 52) == second
  end
  local user, tenant = ownerOf(session)
  return kind == 'any' or user == first and (kind == 'user' or tenant == second)
end`

/** `isAlive(session, now)` */
const isAlive = `
local function isAlive(session, now) return session and tonumber(string.sub(session, 1, 16)) > tonumber(now) end`

/** `nextVersion(version)`: exact up to 2^53. */
const nextVersion = `
local function nextVersion(version) return string.format('%.0f', tonumber(version) + 1) end`

/**
 * `rotate(key, token, delivery, now, rotatedAfter, createdAfter, next, authenticatedAt)`: the lines that it left of the
 * session, or false. `token`, `delivery` and `next` are what `tokenText`, `deliveryText` and `nextText` give. `delivery`
 * is `first` or `later` where the record was not read, for a token of the first generation or a later one.
 *
 * What is looked at is taken by its place and compared as text, since patterns and numbers are most of what a script
 * costs here. How long the key is kept is set anew where `expiresAt` differs in more than its last seven digits, which
 * are less than three hours.
 */
const rotate = `
local sub = string.sub
local function mayRotate(session, rest, now)
  local interval = sub(session, rest + 85, rest + 100) + 0
  return interval == 0 or now - sub(session, 35, 50) > 2 * interval or now - sub(session, 18, 33) > 6 * interval
end
local function rotate(key, token, delivery, now, rotatedAfter, createdAfter, next, authenticatedAt)
  -- What is no text is told of by whoever reads it next: others must not fail with it.
  local session = redis.pcall('GET', key)
  if type(session) ~= 'string' then return false end
  local from = 54 + #token
  if sub(session, 54, from - 1) ~= token then return false end
  local rest = string.find(session, '\\n', from, true) + 1
  if sub(session, 1, 16) <= now or sub(session, 18, 33) <= rotatedAfter
    or sub(session, rest, rest + 15) <= createdAfter then return false end
  if delivery == 'later' then
    if not mayRotate(session, rest, now) then return false end
  elseif delivery ~= 'first' and sub(session, 18, 52) ~= delivery then return false end
  local expiresAt = sub(next, 1, 16) + sub(session, rest + 17, rest + 32)
  expiresAt = math.min(expiresAt, tonumber(sub(session, rest + 34, rest + 49)) or ${Number.MAX_SAFE_INTEGER})
  local ends = string.format('%016.0f', expiresAt)
  local keepFor = math.max(expiresAt - now, 0) + ${SLACK}
  if sub(ends, 1, 9) ~= sub(session, 1, 9) then redis.call('PEXPIRE', key, keepFor) end
  local kept = sub(session, rest)
  if authenticatedAt then kept = sub(kept, 1, 51) .. authenticatedAt .. sub(kept, 68) end
  local changed = ends .. ' ' .. next .. kept
  if redis.pcall('SET', key, changed, 'KEEPTTL').err then
    -- Memory is full, but what has begun to write may go on: a rotation takes none.
    redis.call('PEXPIRE', key, keepFor)
    redis.call('SET', key, changed, 'KEEPTTL')
  end
  return kept
end`

/** KEYS: sessions. ARGV: for each of them six arguments of `rotate`. For each of them what that gives. */
export const rotateScript: Script = script(`${rotate}
local rotated = {}
for index, key in ipairs(KEYS) do
  local from = (index - 1) * 6
  rotated[index] = rotate(key, ARGV[from + 1], ARGV[from + 2], ARGV[from + 3], ARGV[from + 4], ARGV[from + 5],
    ARGV[from + 6])
end
return rotated`)

/** KEYS: session. ARGV: the arguments of `rotate`. What that gives. */
export const reauthenticateScript: Script = script(`${rotate}
return rotate(KEYS[1], unpack(ARGV))`)

/** KEYS: session. ARGV: generation and branch as their line. */
export const confirmScript: Script = script(`
local session = redis.call('GET', KEYS[1])
if not session then return end
local from = string.match(session, '^${lines(3)}()')
if string.sub(session, from, from + #ARGV[1] - 1) == ARGV[1] then redis.call('SETRANGE', KEYS[1], 51, '1') end`)

/**
 * KEYS: a user's index, the user's not-befores, and that of everybody where it is on this server. ARGV: createdAt,
 * handle, tenant. Lists a login in the index unless a not-before refuses it. Whether it did.
 */
export const listLoginScript: Script = script(`
local createdAt = tonumber(ARGV[1])
local times = redis.call('HMGET', KEYS[2], '', ARGV[3])
if KEYS[3] then table.insert(times, redis.call('HGET', KEYS[3], '')) end
for index = 1, 3 do
  if times[index] and tonumber(times[index]) > createdAt then return 0 end
end
redis.call('ZADD', KEYS[1], 'NX', createdAt, ARGV[2])
return 1`)

/**
 * KEYS: not-befores, and the index of the user whose they are, if they are a user's. ARGV: tenant or empty, time, how
 * long to remember it. Refuses earlier logins from now on; the handles in the index.
 */
export const refuseLoginsScript: Script = script(`
local known, left = redis.call('HGET', KEYS[1], ARGV[1]), redis.call('PTTL', KEYS[1])
-- Deleting first lets the rest be written when memory is full.
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], math.max(known or 0, ARGV[2]))
redis.call('PEXPIRE', KEYS[1], math.max(left, ARGV[3]))
return KEYS[2] and redis.call('ZRANGE', KEYS[2], 0, -1) or {}`)

/**
 * KEYS: a part of the expiry index. ARGV: score and member of the entry where the page before ended, how many. Entries
 * and their scores in turn. Goes on after that entry; if it is gone or has another place, at the first with its score,
 * since scores only ever rise.
 */
export const expiryPageScript: Script = script(`
local rank, score = redis.call('ZRANK', KEYS[1], ARGV[2]), redis.call('ZSCORE', KEYS[1], ARGV[2])
local from = rank and tonumber(score) == tonumber(ARGV[1]) and rank + 1
  or redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. ARGV[1])
return redis.call('ZRANGE', KEYS[1], from, from + ARGV[3] - 1, 'WITHSCORES')`)

/** KEYS: session. ARGV: a time. Deletes it if it was created before; whether it did. */
export const removeOlderScript: Script = script(`
local session = redis.call('GET', KEYS[1])
if not session or string.match(session, '^${lines(5)}(%d+)') + 0 > ARGV[1] + 0 then return 0 end
return redis.call('DEL', KEYS[1])`)

/** KEYS: session. ARGV: now, info, expected version or empty. Whether it did. */
export const updateInfoScript: Script = script(`${isAlive}${nextVersion}
local session = redis.call('GET', KEYS[1])
if not isAlive(session, ARGV[1]) then return 0 end
local head, version = string.match(session, '^(${lines(8)})(%S+)')
if ARGV[3] ~= '' and version ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], head .. nextVersion(version) .. ' ' .. ARGV[2], 'KEEPTTL')
return 1`)

/** `setPayload(key, payload, now)`: the new version and the access token lifetime, or false. */
export const setPayload: string = `${ownerOf}${isAlive}${nextVersion}
local function setPayload(key, payload, now)
  local session = redis.call('GET', key)
  if not isAlive(session, now) then return false end
  local head, version, tail = string.match(session, '^(${lines(7)})(%S+)[^\\n]*(.*)$')
  version = nextVersion(version)
  redis.call('SET', key, head .. version .. ' ' .. payload .. tail, 'KEEPTTL')
  local _, _, lifetime = ownerOf(session)
  return version, lifetime
end`

/** KEYS: session. ARGV: payload, now. The new version and the access token lifetime, or nil. */
export const updatePayloadScript: Script = script(`${setPayload}
local version, lifetime = setPayload(KEYS[1], ARGV[1], ARGV[2])
return version and {version, lifetime}`)

/** KEYS: session. ARGV: now. 1 if it had expired and is deleted, 0 if there is none, else when it will expire. */
export const expireScript: Script = script(`
local expiresAt = redis.call('GETRANGE', KEYS[1], 0, 15)
if expiresAt == '' then return '0' end
if tonumber(expiresAt) > tonumber(ARGV[1]) then return expiresAt end
redis.call('DEL', KEYS[1])
return '1'`)

/**
 * KEYS: session, its removal. ARGV: name of the removal, how long to remember it, three arguments of `fits`. Deletes the
 * session but remembers that this was not announced yet. Of the removal that is to be announced (this one, or an earlier
 * one that was broken off): its name, user id and access token lifetime; or nil.
 */
export const claimScript: Script = script(`${ownerOf}
local session = redis.call('GET', KEYS[1])
if session then
  if not fits(session, ARGV[3], ARGV[4], ARGV[5]) then return false end
  local user, tenant, lifetime = ownerOf(session)
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[2], 'removal', ARGV[1], 'user', user, 'tenant', tenant, 'lifetime', lifetime)
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
  return {ARGV[1], user, tostring(lifetime)}
end
local name, user, tenant, lifetime = unpack(redis.call('HMGET', KEYS[2], 'removal', 'user', 'tenant', 'lifetime'))
local isMeant = ARGV[3] ~= 'user' and ARGV[3] ~= 'tenant' or user == ARGV[4] and (ARGV[3] == 'user' or tenant == ARGV[5])
return name and isMeant and {name, user, lifetime}`)

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
