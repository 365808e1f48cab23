import { defineScript } from './script.ts'
import type { Script } from './script.ts'
import { fits, setPayload } from './session-scripts.ts'

/** A page of the log ends when its handles take this many bytes, even if it has fewer entries than it may have. */
const PAGE_BYTES = 256 * 1024

/** How many entries are read before the bytes are counted. Each has at most 100 handles of 22 bytes. */
const PAGE_STEP = 64

/**
 * `append(kind, untilTime, version, handles)`. KEYS begin with the stream, the ends and the state of the log. ARGV
 * begins with the channel and with an id for a log that has none. The stream's ids are made from the server's time:
 * entries that are written after some were lost come after the lost ones.
 */
const append = `
local function append(kind, untilTime, version, handles)
  local id = redis.call('XADD', KEYS[1], '*', 'kind', kind, 'until', untilTime, 'version', version, 'handles', handles)
  redis.call('ZADD', KEYS[2], untilTime, id)
  redis.call('HSETNX', KEYS[3], 'log', ARGV[2])
  redis.call('HSET', KEYS[3], 'head', id)
  redis.call('PUBLISH', ARGV[1], '')
end
local function appendRevoked(handles, untilTime)
  append('revoked', untilTime, 0, table.concat(handles, ','))
end`

/** KEYS: log (3). ARGV: channel, identity, kind, until, version, handle. */
export const appendScript: Script = defineScript(`${append}
append(ARGV[3], ARGV[4], ARGV[5], ARGV[6])`)

/**
 * KEYS: log (3), sessions. ARGV: channel, identity, the time from which access token lifetimes count, three arguments
 * of `fits`, then the sessions' handles. Deletes the sessions and appends the change in one step. Returns the change's
 * `until`, then pairs of handle and user id. For a server that has all slots.
 */
export const revokeScript: Script = defineScript(`${append}${fits}
local handles, longest, found = {}, 0, {}
local removed = {ARGV[3]}
-- All sessions are read before one is deleted: if one cannot be read, the script fails and has changed nothing.
for index = 4, #KEYS do
  local session = headOf(KEYS[index])
  local kept = session and fits(session, ARGV[4], ARGV[5], ARGV[6])
  if kept then
    local handle = ARGV[index + 3]
    longest = math.max(longest, kept.accessTokenLifetime)
    table.insert(found, KEYS[index])
    table.insert(handles, handle)
    table.insert(removed, handle)
    table.insert(removed, kept.userId)
  end
end
-- Because the script deletes first, Redis allows its other writes even when memory is full.
for _, key in ipairs(found) do redis.call('DEL', key) end
if #handles > 0 then
  removed[1] = string.format('%.0f', ARGV[3] + longest)
  appendRevoked(handles, removed[1])
end
return removed`)

/**
 * KEYS: log (3), announced. ARGV: channel, identity, until, then pairs of a removal's name and the handle.
 * Appends a change for the removals that were not announced yet. Returns their handles.
 */
export const announceScript: Script = defineScript(`${append}
local handles = {}
-- Removes nothing. But once a script has begun to write, Redis allows its other writes even when memory is full.
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', '-inf')
for index = 4, #ARGV, 2 do
  if redis.call('ZADD', KEYS[4], 'NX', ARGV[3], ARGV[index]) == 1 then table.insert(handles, ARGV[index + 1]) end
end
if #handles > 0 then appendRevoked(handles, ARGV[3]) end
return handles`)

/**
 * KEYS: log (3), session. ARGV: channel, identity, the time from which the access token lifetime counts, handle,
 * payload, now, expected version or an empty text. Returns the new version and that lifetime, or nil. For a server that
 * has all slots.
 */
export const publishPayloadScript: Script = defineScript(`${append}${setPayload}
local version, lifetime = setPayload(KEYS[4], ARGV[5], ARGV[6], ARGV[7])
if not version then return false end
local keptUntil = string.format('%.0f', ARGV[3] + lifetime)
append('payload', keptUntil, version, ARGV[4])
return {version, lifetime}`)

/** KEYS: log (3), keys, one order per purpose. ARGV: channel, identity, until, kid. Returns whether the key existed. */
export const removeKeyScript: Script = defineScript(`${append}
if redis.call('HDEL', KEYS[4], ARGV[4]) == 0 then return 0 end
for index = 5, #KEYS do redis.call('ZREM', KEYS[index], ARGV[4]) end
append('keys', ARGV[3], 0, '')
return 1`)

/**
 * KEYS: log (3). ARGV: the cursor's log, id and until, or empty strings; how many entries to read. Returns the log's
 * identity, where reading began, the newest id, whether there are more entries, then for each entry its id and the list
 * of its fields; nothing if the log never had an entry. Stops early when the handles are long enough together, so that
 * neither the server nor a reader is busy for long.
 *
 * Reading continues at the cursor if its entry still exists or was pruned in due time. Otherwise the log is another one
 * or has lost entries in a failover, and is read from its beginning: to read an entry twice is harmless, to skip one is
 * not.
 */
export const readScript: Script = defineScript(`
local function number(id)
  local milliseconds, sequence = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(milliseconds), tonumber(sequence)
end
local function after(left, right)
  local leftTime, leftSequence = number(left)
  local rightTime, rightSequence = number(right)
  return leftTime > rightTime or (leftTime == rightTime and leftSequence > rightSequence)
end
local state = redis.call('HMGET', KEYS[3], 'log', 'head', 'pruned')
local log, head, pruned = state[1], state[2], tonumber(state[3] or '0')
if not log then return {} end
local from = '-'
if ARGV[1] == log and not after(ARGV[2], head) and (tonumber(ARGV[3]) <= pruned
  or #redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2]) > 0) then from = '(' .. ARGV[2] end
local reply, left, bytes, more, last = {log, from, head, 0}, tonumber(ARGV[4]), 0, 1, from
while left > 0 and bytes < ${PAGE_BYTES} and more == 1 do
  local count = math.min(left, ${PAGE_STEP})
  local entries = redis.call('XRANGE', KEYS[1], last, '+', 'COUNT', count)
  for _, entry in ipairs(entries) do
    table.insert(reply, entry[1])
    table.insert(reply, entry[2])
    bytes = bytes + #entry[2][8]
    last = '(' .. entry[1]
  end
  left = left - #entries
  if #entries < count then more = 0 end
end
if more == 1 then reply[4] = #redis.call('XRANGE', KEYS[1], last, '+', 'COUNT', 1) end
return reply`)

/** KEYS: log (3). ARGV: now, how many at most. Returns how many changes were removed. */
export const pruneScript: Script = defineScript(`
local ids = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
if #ids == 0 then return 0 end
redis.call('XDEL', KEYS[1], unpack(ids))
redis.call('ZREM', KEYS[2], unpack(ids))
local pruned = redis.call('HGET', KEYS[3], 'pruned')
if not pruned or tonumber(pruned) < tonumber(ARGV[1]) then redis.call('HSET', KEYS[3], 'pruned', ARGV[1]) end
return #ids`)

/** KEYS: announced. ARGV: now, how many at most. Returns how many names of removals were removed. */
export const forgetScript: Script = defineScript(`
local due = math.min(redis.call('ZCOUNT', KEYS[1], '-inf', ARGV[1]), ARGV[2])
return due > 0 and redis.call('ZREMRANGEBYRANK', KEYS[1], 0, due - 1) or 0`)
