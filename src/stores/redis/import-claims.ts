import type { SessionHandle } from '../../base/handle.ts'
import { parseJsonObject } from '../../base/json.ts'
import type { ImportClaim, ImportClaims, ImportCount } from '../../session/import-claims.ts'
import { dayOf, sortCounts } from '../import-counts.ts'
import type { RedisConnection } from './connection.ts'
import { dropIndexEntries } from './index-entries.ts'
import { expiryShardOf, userTagOf } from './key-names.ts'
import type { KeyNames } from './key-names.ts'
import { toHandle, toInteger, toList, toText, toTexts, unreadable } from './reply.ts'
import { defineScript } from './script.ts'
import { HEAD_BYTES, parseListed, parseSession, sessionJson } from './session-json.ts'
import { keepFor } from './session-scripts.ts'

/**
 * KEYS: claim, session, in one slot. ARGV: claim, for how long to keep it, session, for how long to keep it. Adds both
 * unless there is a claim. Returns the claim that stands, whether it was added, and the session if there is one.
 */
const admitScript = defineScript(`
local standing = redis.call('GET', KEYS[1])
if standing then return {standing, 0, redis.call('GET', KEYS[2])} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
return {ARGV[1], 1, ARGV[3]}`)

/**
 * KEYS: a user's index, the user's not-befores, and that of all users if it is on this server. ARGV: when the old
 * credential was issued, createdAt, handle, tenant. Adds the session to the index, unless a not-before refuses it.
 * Returns whether it did.
 */
const listImportScript = defineScript(`
local issuedAt = tonumber(ARGV[1])
local times = redis.call('HMGET', KEYS[2], '', ARGV[4])
if KEYS[3] then table.insert(times, redis.call('HGET', KEYS[3], '')) end
for index = 1, 3 do
  if times[index] and tonumber(times[index]) > issuedAt then return 0 end
end
redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[3])
return 1`)

/** KEYS: session. Deletes it if it was never refreshed. */
const dropUnusedScript = defineScript(`
local head = redis.call('GETRANGE', KEYS[1], 0, ${HEAD_BYTES - 1})
if string.find(head, '"generation":0,', 1, true) then return redis.call('DEL', KEYS[1]) end
return 0`)

/** KEYS: counts. ARGV: field, source, day. Adds 1. */
const countScript = defineScript(`
local known = redis.call('HGET', KEYS[1], ARGV[1])
local count = known and cjson.decode(known).count or 0
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode({source = ARGV[2], day = tonumber(ARGV[3]), count = count + 1}))
return count + 1`)

/**
 * The import claims in Redis. A claim is in the slot of its session, so that one script writes both. The index entries
 * follow, as for a login; if the process fails before that, the next call for the same claim writes them.
 */
export function createImportClaims(
  connection: RedisConnection,
  names: KeyNames,
  nextName: () => string,
): ImportClaims {
  return {
    findImport: handle => connection.use(async ({ send }) => {
      const key = names.importClaim(handle)
      const reply = await send(key, ['GET', key])
      return reply === null ? null : parseClaim(toText(reply))
    }),

    admitImport({ claim: given, record }) {
      const { handle, userId, tenantId } = record
      const [claimKey, session] = [names.importClaim(handle), names.session(handle)]
      const userTag = userTagOf(userId)
      const shard = expiryShardOf(handle)
      const [user, expiry, newest] = [names.user(userTag), names.expiry(shard), names.newest(shard)]
      return connection.useDurably(() => [session, user, expiry], async commands => {
        const { send, run, cluster } = commands
        const [standing, added, text] = toList(await run(admitScript, [claimKey, session], [
          claimJson(given), Math.max(1, given.until - given.admittedAt),
          sessionJson(record, nextName()), keepFor(record.expiresAt, record.createdAt),
        ]))
        const claim = parseClaim(toText(standing))
        const isFirst = toInteger(added) === 1
        const places = text === null ? null : placesOf(handle, toText(text))
        const allUsersKey = names.notBeforeOfAll
        if (places !== null) {
          await Promise.all([
            send(expiry, ['ZADD', expiry, 'NX', `${places.expiresAt}`, `${handle}.${userTag}`]),
            send(newest, ['ZADD', newest, 'NX', `${places.createdAt}`, handle]),
          ])
        }
        const keys = [user, names.notBefore(userTag), ...cluster ? [] : [allUsersKey]]
        const [listed, notBefore] = await Promise.all([
          places === null ? 1 : run(listImportScript, keys, [claim.issuedAt, places.createdAt, handle, tenantId]),
          cluster ? send(allUsersKey, ['HGET', allUsersKey, '']) : null,
        ])
        if (isFirst) {
          const day = dayOf(claim.admittedAt)
          await run(countScript, [names.imports], [`${day} ${claim.source}`, claim.source, day])
        }
        const isRefused = toInteger(listed) === 0 || (notBefore !== null && toInteger(notBefore) > claim.issuedAt)
        if (!isRefused) return { claim, outcome: isFirst ? 'admitted' : 'known' }
        if (toInteger(await run(dropUnusedScript, [session], [])) === 1) {
          connection.later(later => dropIndexEntries(later, names, [{ handle, userTag }]))
        }
        return { claim, outcome: 'refused' }
      })
    },

    countImports: () => connection.use(async ({ send }) => (
      sortCounts(toTexts(await send(names.imports, ['HVALS', names.imports])).map(parseCount))
    )),
  }
}

/** When a session was created, and before which it cannot have expired. */
function placesOf(
  handle: SessionHandle,
  text: string,
): { readonly createdAt: number; readonly expiresAt: number } | null {
  return parseListed(handle, text) ?? parseSession(handle, text)
}

function claimJson({ handle, source, kid, proof, issuedAt, admittedAt, until }: ImportClaim): string {
  return JSON.stringify({ handle, source, kid, proof, issuedAt, admittedAt, until })
}

function parseClaim(text: string): ImportClaim {
  const stored = parseJsonObject(text)
  if (stored === null) throw unreadable('an import claim')
  return {
    handle: toHandle(stored['handle']),
    source: toText(stored['source']),
    kid: toText(stored['kid']),
    proof: toText(stored['proof']),
    issuedAt: toInteger(stored['issuedAt']),
    admittedAt: toInteger(stored['admittedAt']),
    until: toInteger(stored['until']),
  }
}

function parseCount(text: string): ImportCount {
  const stored = parseJsonObject(text)
  if (stored === null) throw unreadable('a count of imported sessions')
  return { source: toText(stored['source']), day: toInteger(stored['day']), count: toInteger(stored['count']) }
}
