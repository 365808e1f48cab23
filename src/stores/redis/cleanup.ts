import type { EpochMilliseconds } from '../../base/time.ts'
import type { RemovedExpired, SessionStore } from '../../session/store.ts'
import type { ChangeLog } from './change-log.ts'
import type { Commands, RedisConnection } from './connection.ts'
import { pruneEvents } from './events.ts'
import { byKey, dropIndexEntries } from './index-entries.ts'
import type { Removed } from './index-entries.ts'
import { expiryShards } from './key-names.ts'
import type { KeyNames } from './key-names.ts'
import { toHandle, toText, toTexts } from './reply.ts'
import { expireScript } from './session-scripts.ts'

/** How many sessions a sweep reads from each part of the expiry index in addition to its share. */
const SPARE = 8

/** Returns the result of the work, or `otherwise` if it fails, and remembers the error. */
type Attempt = <Result>(work: Promise<Result>, otherwise: Result) => Promise<Result>

/**
 * Removes what has expired, in one bounded step per call. Not-befores need no step: Redis deletes them, because each of
 * their keys has an expiry of its own.
 */
export function createCleanup(
  connection: RedisConnection,
  log: ChangeLog,
  names: KeyNames,
): Pick<SessionStore, 'removeExpired'> {
  /**
   * Looks at no more than `limit` sessions that may be due. One that was refreshed since it was indexed only moves to
   * its new position in the index.
   */
  async function sweep(
    commands: Commands,
    now: EpochMilliseconds,
    limit: number,
    attempt: Attempt,
  ): Promise<RemovedExpired> {
    const share = Math.ceil(limit / expiryShards) + SPARE
    const parts = await Promise.all(Array.from({ length: expiryShards }, async (_, shard) => {
      const key = names.expiry(shard)
      const command = ['ZRANGEBYSCORE', key, '-inf', `${now}`, 'LIMIT', '0', `${share}`]
      return (await attempt(commands.send(key, command).then(toTexts), [])).map(member => ({ key, member }))
    }))
    // The first of each part, then the second of each, so that no part is left behind.
    const all = Array.from({ length: share }, (_, index) => parts.flatMap(part => part.slice(index, index + 1))).flat()
    const due = all.slice(0, limit)
    const gone: Removed[] = []
    const moved: [key: string, score: string, member: string][] = []
    let removed = 0
    await Promise.all(due.map(({ key, member }) => attempt((async () => {
      const [handleText, userTag = ''] = member.split('.')
      const handle = toHandle(handleText)
      const reply = toText(await commands.run(expireScript, [names.session(handle), names.removal(handle)], [now]))
      if (reply === '0' || reply === '1') gone.push({ handle, userTag })
      else moved.push([key, reply, member])
      if (reply === '1') removed += 1
    })(), undefined)))
    await Promise.all([
      attempt(dropIndexEntries(commands, names, gone), undefined),
      // XX: a session that was removed meanwhile must not be added to the index again.
      attempt(byKey(moved, (key, scores) => commands.send(key, ['ZADD', key, 'XX', ...scores])), undefined),
    ])
    return { removed, more: all.length > due.length || parts.some(part => part.length === share) }
  }

  return {
    removeExpired: (now, limit) => connection.use(async commands => {
      const failures: unknown[] = []
      const attempt: Attempt = (work, otherwise) => work.catch((error: unknown) => {
        failures.push(error)
        return otherwise
      })
      const [hasMoreChanges, hasMoreNames, hasMoreEvents, sessions] = await Promise.all([
        attempt(log.prune(commands, now, limit), false),
        attempt(log.forget(commands, now, limit), false),
        attempt(pruneEvents(commands, names, now, limit), false),
        sweep(commands, now, limit, attempt),
      ])
      if (failures.length > 0) throw failures[0]
      const more = hasMoreChanges || hasMoreNames || hasMoreEvents || sessions.more
      return { removed: sessions.removed, more }
    }),
  }
}
