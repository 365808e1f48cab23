import type { EpochMilliseconds } from '../../base/time.ts'
import { RECORD_FORMAT } from '../../session/record.ts'
import { defineScript } from './script.ts'
import type { Script } from './script.ts'
import { HEAD_BYTES } from './session-json.ts'

/**
 * A key expires after its session: at most this much later, in milliseconds, and at least three hours less than that.
 * So Redis deletes sessions that no cleanup removes. Until then `removeExpired` removes them, by the time that it is
 * given.
 */
const SLACK = 24 * 60 * 60 * 1000

/**
 * For how long Redis keeps a session, in milliseconds from now. Computed from the caller's time, so that the clock of
 * Redis does not matter.
 */
export function keepFor(expiresAt: EpochMilliseconds, now: EpochMilliseconds): number {
  return Math.max(expiresAt - now, 0) + SLACK
}

/**
 * `startOf(session)`: `expiresAt`, `rotatedAt` and `servedAt` of a session that `sessionJson` wrote, nil for anything
 * else. `isActive(session, now)`: false if there is no session. `placeOf(session, name)`: the position of that member,
 * with `name` as `'"name":'`. `keptOf(session)`: the parsed member `session`, without payload and info, which can be
 * long. The last two fail if the value is not a session of this format. `headOf(key)`: the session at least up to the
 * member `payloadVersion`, false if there is none.
 */
const reading = `
local find, match, sub = string.find, string.match, string.sub
local function startOf(session)
  return match(session, '^{"format":${RECORD_FORMAT},"expiresAt":(%d+),"rotatedAt":(%d+),"servedAt":(%d+),')
end
local function unreadable(session)
  error('UNREADABLE SESSION ' .. (match(session, '^{"format":(%d+),') or ''))
end
local function isActive(session, now)
  return session and (startOf(session) or unreadable(session)) - now > 0
end
local function placeOf(session, name) return find(session, name, 1, true) or unreadable(session) end
local function keptOf(session)
  if not startOf(session) then unreadable(session) end
  local from, to = placeOf(session, '"session":{'), placeOf(session, ',"payloadVersion":')
  return cjson.decode(sub(session, from + 10, to - 1) .. '}')
end
local function headOf(key)
  local head = redis.call('GETRANGE', key, 0, ${HEAD_BYTES - 1})
  if #head < ${HEAD_BYTES} or find(head, ',"payloadVersion":', 1, true) then return head ~= '' and head end
  return redis.call('GET', key)
end`

/**
 * `fits(session, kind, first, second)`: what `keptOf` returns, if the removal applies to the session; otherwise false.
 * Kinds: `any`, of a `user`, of a user in a `tenant`, or one whose token is `unchanged` (`stateJson`).
 */
export const fits: string = `${reading}
local function fits(session, kind, first, second)
  local kept = keptOf(session)
  if kind == 'unchanged' then return find(session, first, 1, true) and kept end
  return (kind == 'any' or kept.userId == first and (kind == 'user' or kept.tenantId == second)) and kept
end`

/** `nextVersion(session, name)`: that member plus one, exact up to 2^53, and the member itself. */
const nextVersion = `
local function nextVersion(session, name)
  local version = match(session, '^(%d+),', placeOf(session, name) + #name) or unreadable(session)
  return string.format('%.0f', version + 1), version
end`

/**
 * `rotate(key, expected, unread, now, rotatedAfter, createdAfter, rotatedAt, next, authenticatedAt)`: the text from
 * the member `session` on, or false. `expected` and `next` are what `stateJson` and `nextJson` return. `unread` is
 * `first` or `later` if the record was not read, for a token of the first generation or a later one.
 *
 * All members are found with two patterns, because each search costs as much as all numbers of one pattern. The
 * unchanged part is written only when it moves, because every byte that a script handles costs as well. The key's
 * expiry is set again only when `expiresAt` crosses a multiple of ten million milliseconds, which are less than three
 * hours.
 */
const rotate = `${reading}
local function rotate(key, expected, unread, now, rotatedAfter, createdAfter, rotatedAt, next, authenticatedAt)
  -- A value that is not a session does not fail this batch; the next command that reads it alone reports it.
  local session = redis.pcall('GET', key)
  if type(session) ~= 'string' then return false end
  local _, known = find(session, expected, 1, true)
  local expiredAt, rotatedBefore, servedAt = startOf(session)
  local rest = known and expiredAt and find(session, '"session":{', known, true)
  if not rest then return false end
  local createdAt, idleTimeout, absoluteExpiry, interval = match(session,
    '^"session":{"createdAt":(%d+),"idleTimeout":(%d+),"absoluteExpiry":(%w+),"reuseInterval":(%d+),', rest)
  now, expiredAt = now + 0, expiredAt + 0
  if not createdAt or expiredAt <= now or rotatedBefore - rotatedAfter <= 0 or createdAt - createdAfter <= 0
    or unread == 'later' and interval ~= '0' and now - servedAt <= 2 * interval and now - rotatedBefore <= 6 * interval
  then return false end
  local expiresAt = rotatedAt + idleTimeout
  if absoluteExpiry ~= 'null' then expiresAt = math.min(expiresAt, absoluteExpiry) end
  local keepFor = math.max(expiresAt - now, 0) + ${SLACK}
  if expiresAt - expiresAt % 1e7 ~= expiredAt - expiredAt % 1e7 then redis.call('PEXPIRE', key, keepFor) end
  local token = string.format('{"format":${RECORD_FORMAT},"expiresAt":%.0f,', expiresAt) .. next
  local kept = sub(session, rest)
  local written
  if authenticatedAt then kept = string.gsub(kept, '("authenticatedAt":)%d+', '%1' .. authenticatedAt, 1) end
  if #token == rest - 1 and not authenticatedAt then written = redis.pcall('SETRANGE', key, 0, token)
  else written = redis.pcall('SET', key, token .. kept, 'KEEPTTL') end
  if type(written) == 'table' and written.err then
    -- Memory is full. But once a script has begun to write, Redis allows its other writes, and a rotation adds no data.
    redis.call('PEXPIRE', key, keepFor)
    redis.call('SET', key, token .. kept, 'KEEPTTL')
  end
  return kept
end`

/** KEYS: sessions. ARGV: for each of them seven arguments of `rotate`. Returns the result of `rotate` for each. */
export const rotateScript: Script = defineScript(`${rotate}
local rotated = {}
for index, key in ipairs(KEYS) do
  local from = (index - 1) * 7
  rotated[index] = rotate(key, ARGV[from + 1], ARGV[from + 2], ARGV[from + 3], ARGV[from + 4], ARGV[from + 5],
    ARGV[from + 6], ARGV[from + 7])
end
return rotated`)

/** KEYS: session. ARGV: the arguments of `rotate`. Returns the result of `rotate`. */
export const reauthenticateScript: Script = defineScript(`${rotate}
return rotate(KEYS[1], unpack(ARGV))`)

/**
 * KEYS: sessions. ARGV: for each of them generation and branch, as `placeJson` returns them. Writes only where the
 * token is not confirmed yet. Skips what is not a session.
 */
export const confirmScript: Script = defineScript(`${reading}
for index, key in ipairs(KEYS) do
  local isText, session = pcall(headOf, key)
  local from, to
  if isText and session and startOf(session) then from, to = find(session, '"confirmed":false,', 1, true) end
  if from and find(session, ARGV[index], to, true) then redis.call('SETRANGE', key, from - 1, '"confirmed":true ,') end
end`)

/** KEYS: session. ARGV: a time. Deletes the session if it was created before that time. Returns whether it did. */
export const removeOlderScript: Script = defineScript(`${reading}
local session = headOf(KEYS[1])
if not session or keptOf(session).createdAt > tonumber(ARGV[1]) then return 0 end
return redis.call('DEL', KEYS[1])`)

/** KEYS: session. ARGV: now, info as JSON, expected version or an empty text. Returns whether it was updated. */
export const updateInfoScript: Script = defineScript(`${reading}${nextVersion}
local session = redis.call('GET', KEYS[1])
if not isActive(session, ARGV[1]) then return 0 end
local version, before = nextVersion(session, '"infoVersion":')
if ARGV[3] ~= '' and before ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], sub(session, 1, placeOf(session, '"infoVersion":') - 1)
  .. '"infoVersion":' .. version .. ',"sessionInfo":' .. ARGV[2] .. '}}', 'KEEPTTL')
return 1`)

/**
 * `setPayload(key, payload, now, expected)`: the new version and the access token lifetime, or false. `payload` is
 * JSON, `expected` the expected version or an empty text.
 */
export const setPayload: string = `${reading}${nextVersion}
local function setPayload(key, payload, now, expected)
  local session = redis.call('GET', key)
  if not isActive(session, now) then return false end
  local version, before = nextVersion(session, '"payloadVersion":')
  if expected ~= '' and before ~= expected then return false end
  local kept = keptOf(session)
  redis.call('SET', key, sub(session, 1, placeOf(session, '"payloadVersion":') - 1)
    .. '"payloadVersion":' .. version .. ',"jwtPayload":' .. payload .. ','
    .. sub(session, placeOf(session, '"infoVersion":')), 'KEEPTTL')
  return version, kept.accessTokenLifetime
end`

/**
 * KEYS: session. ARGV: payload as JSON, now, expected version or an empty text. Returns the new version and the access
 * token lifetime, or nil.
 */
export const updatePayloadScript: Script = defineScript(`${setPayload}
local version, lifetime = setPayload(KEYS[1], ARGV[1], ARGV[2], ARGV[3])
return version and {version, lifetime}`)

/**
 * KEYS: session, its removal. ARGV: now. Returns 1 if the session had expired and was deleted, 0 if there is none,
 * otherwise when it will expire. A value that this version cannot read is checked again in an hour, and so is a session
 * whose removal was interrupted: with its index entries, a caller that tries again could not find it.
 */
export const expireScript: Script = defineScript(`${reading}
local session = redis.pcall('GETRANGE', KEYS[1], 0, 127)
if session == '' and redis.call('EXISTS', KEYS[2]) == 0 then return '0' end
local expiresAt = type(session) == 'string' and startOf(session) or string.format('%.0f', ARGV[1] + 3600000)
if expiresAt - ARGV[1] > 0 then return expiresAt end
redis.call('DEL', KEYS[1])
return '1'`)

/**
 * KEYS: session, its removal. ARGV: name of the removal, how long to remember it, three arguments of `fits`. Deletes
 * the session and records that the removal was not announced yet. Returns name, user id and access token lifetime of
 * the removal to announce, which is this one or an earlier one that was interrupted; or nil.
 */
export const claimScript: Script = defineScript(`${fits}
local session = headOf(KEYS[1])
if session then
  local kept = fits(session, ARGV[3], ARGV[4], ARGV[5])
  if not kept then return false end
  local lifetime = string.format('%.0f', kept.accessTokenLifetime)
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[2], 'removal', ARGV[1], 'user', kept.userId, 'tenant', kept.tenantId, 'lifetime', lifetime)
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
  return {ARGV[1], kept.userId, lifetime}
end
local name, user, tenant, lifetime = unpack(redis.call('HMGET', KEYS[2], 'removal', 'user', 'tenant', 'lifetime'))
local isMeant = ARGV[3] ~= 'user' and ARGV[3] ~= 'tenant'
  or user == ARGV[4] and (ARGV[3] == 'user' or tenant == ARGV[5])
return name and isMeant and {name, user, lifetime}`)
