import { GeneralError } from '../../base/errors.ts'
import type { Commands } from './connection.ts'
import type { RedisDriver } from './driver.ts'
import { lacksRight, missingRights } from './errors.ts'
import type { KeyNames } from './key-names.ts'
import { toText, toTexts } from './reply.ts'
import { defineScript } from './script.ts'

/**
 * Refuses a server that evicts keys when its memory is full: sessions would end without notice, and signing keys would
 * be lost.
 * @throws GeneralError (`MISUSE`)
 */
export async function checkEviction(driver: RedisDriver): Promise<void> {
  for (const reply of await driver.sendToAll(['INFO', 'memory'])) {
    const policy = /^maxmemory_policy:(.+?)\r?$/m.exec(toText(reply))?.[1] ?? 'unknown'
    if (policy === 'noeviction') continue
    throw new GeneralError('MISUSE', `Redis may evict sessions and keys (maxmemory-policy is ${policy}): `
      + 'set it to noeviction, or pass [allowEviction]: true to accept that users are logged out at random')
  }
}

/** Whether the server of this connection copies another one, and so accepts no writes. */
export async function isReplica(driver: RedisDriver): Promise<boolean> {
  const [reply] = await driver.sendToAll(['INFO', 'replication'])
  return /^role:slave\r?$/m.test(toText(reply))
}

/**
 * KEYS: one that does not exist. Tries each command that scripts or the store use, in a form that
 * changes nothing (HSET with one argument too many fails). Returns the names of those that the user may not run.
 * Each server has its own words for that; those of Redis 6.2 do not name the command.
 */
const rightsScript = defineScript(`
local key, missing = KEYS[1], {}
local function try(name, ...)
  local reply = redis.pcall(name, ...)
  local text = type(reply) == 'table' and reply.err
  if not text then return end
  if string.find(text, ' channel', 1, true) then table.insert(missing, 'channel')
  elseif string.find(text, 'NOPERM', 1, true) or string.find(text, 'ACL failure', 1, true)
    or string.find(text, "can't run this command", 1, true) then table.insert(missing, name) end
end
try('GET', key)
try('GETRANGE', key, 0, 0)
try('EXISTS', key)
try('SET', key, '', 'XX')
try('SETRANGE', key, 0, '')
try('DEL', key)
try('PEXPIRE', key, 1)
try('PTTL', key)
try('HGET', key, 'field')
try('HMGET', key, 'field')
try('HVALS', key)
try('HSET', key, 'field', '', 'field')
try('HDEL', key, 'field')
try('ZADD', key, 'XX', 0, 'member')
try('ZREM', key, 'member')
try('ZSCORE', key, 'member')
try('ZRANK', key, 'member')
try('ZCOUNT', key, 0, 0)
try('ZRANGE', key, 0, 0)
try('ZREVRANGE', key, 0, 0)
try('ZRANGEBYSCORE', key, 0, 0)
try('ZREMRANGEBYSCORE', key, 0, 0)
try('ZREMRANGEBYRANK', key, 0, 0)
try('XADD', key, 'NOMKSTREAM', '*', 'field', '')
try('XDEL', key, '0-1')
try('XRANGE', key, '-', '+', 'COUNT', 1)
try('TIME')
try('PUBLISH', key, '')
-- HSETNX has no form that changes nothing.
if #missing == 0 then
  try('HSETNX', key, 'field', '')
  redis.pcall('DEL', key)
end
return missing`)

/**
 * Refuses a user who may not run a command that the store needs, use its keys or publish to its channel. A user who
 * lacks only a right for revocations would otherwise be noticed at the first revocation.
 * @throws GeneralError (`MISUSE`) that names what is missing
 */
export async function checkRights({ run }: Commands, names: KeyNames): Promise<void> {
  let missing: readonly string[]
  try {
    missing = toTexts(await run(rightsScript, [names.none], []))
  } catch (error) {
    if (lacksRight(error)) throw error
    // The call itself will meet the same problem and report it.
    return
  }
  if (missing.length === 0) return
  const rights = missing.map(name => name === 'channel' ? `&${names.pattern}` : `+${name.toLowerCase()}`)
  throw missingRights(rights.join(' '))
}
