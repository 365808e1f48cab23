import { GeneralError } from '../../base/errors.ts'
import type { SessionHandle } from '../../base/handle.ts'
import type { SessionRecord } from '../../session/record.ts'
import type { ListedSession, PageRequest, Rotation, SessionPage, SessionStore } from '../../session/store.ts'
import { batch } from '../batch.ts'
import { decodePosition, encodePosition, toPage } from '../page-position.ts'
import type { ChangeLog } from './change-log.ts'
import { publishPayloadScript } from './change-scripts.ts'
import type { Commands, RedisConnection } from './connection.ts'
import { dropIndexEntries, toUserEntries } from './index-entries.ts'
import { listLoginScript, repairIndexScript, userPageScript } from './index-scripts.ts'
import { expiryShardOf, userTagOf } from './key-names.ts'
import type { KeyNames } from './key-names.ts'
import { readListed, readRecord } from './read-record.ts'
import { toInteger, toList } from './reply.ts'
import {
  confirmScript, keepFor, reauthenticateScript, rotateScript, updateInfoScript, updatePayloadScript,
} from './session-scripts.ts'
import { nextJson, parseRotatedSession, placeJson, sessionJson, stateJson } from './session-json.ts'

/** The methods of the port that read and write sessions. */
export interface SessionTable extends Pick<SessionStore, 'insert' | 'find' | 'rotate' | 'reauthenticate' | 'confirm'
  | 'updateInfo' | 'updatePayload' | 'listByUser'> {
  /** Resolves once every rotation has its result. */
  settled(): Promise<void>
}

/**
 * The age in milliseconds from which an entry of the user's index without a session is dropped. It is far longer than a
 * login can be in progress, because the age compares the application's clock with that of Redis.
 */
const REPAIR_AFTER = 60 * 60 * 1000

/**
 * How many rotations one command holds. Few enough that the server can work on some while the client prepares the next
 * and reads the results of others.
 */
const ROTATIONS = 8

/** How many sessions one command confirms: few enough that the server can do other work in between. */
const CONFIRMATIONS = 50

/** How many entries of a user's index a list reads beyond those that it needs, in case some have no session. */
const SPARE = 16

/** How often a list reads the index again because entries had no session. */
const LIST_ROUNDS = 10

/** The sessions in Redis. `nextName` returns a name that no other command of any store has. */
export function createSessionTable(
  connection: RedisConnection,
  log: ChangeLog,
  names: KeyNames,
  nextName: () => string,
): SessionTable {
  /**
   * A page of the user's sessions. The index only says where to look: a handle counts if there is a record of this
   * user, and handles without one are removed from the index. If there are too many of those, the page has fewer
   * sessions than it could have, and the next one continues behind them.
   */
  async function list(
    commands: Commands,
    userId: string,
    { limit, after }: PageRequest,
  ): Promise<SessionPage> {
    const key = names.user(userTagOf(userId))
    const sessions: ListedSession[] = []
    let position = decodePosition(after)
    for (let round = 0; round < LIST_ROUNDS; round++) {
      const count = limit + 1 - sessions.length + SPARE
      const args = [position.createdAt, position.handle, count]
      const entries = toUserEntries(await commands.run(userPageScript, [key], args))
      const found = await Promise.all(entries.map(({ handle }) => readListed(commands, names, handle)))
      sessions.push(...found.filter(session => session !== null).filter(session => session.userId === userId))
      const orphans = entries.filter((_, index) => found[index]?.userId !== userId).map(({ handle }) => handle)
      if (orphans.length > 0) connection.later(later => repair(later, key, orphans))
      if (sessions.length > limit || entries.length < count) return toPage(sessions, limit)
      position = entries.at(-1) ?? position
    }
    return { sessions, next: encodePosition(position) }
  }

  /** Removes handles from a user's index, except for those whose removal was interrupted: it must find them again. */
  async function repair(commands: Commands, key: string, orphans: readonly SessionHandle[]): Promise<void> {
    const dropped = (await Promise.all(orphans.map(async handle => {
      const removal = names.removal(handle)
      const isClaimed = commands.cluster && toInteger(await commands.send(removal, ['EXISTS', removal])) === 1
      return isClaimed ? [] : [handle]
    }))).flat()
    await commands.run(repairIndexScript, [key], [REPAIR_AFTER, ...dropped])
  }

  const argumentsOf = (
    { expected, bounds, next }: Rotation,
    anchorHash = expected.anchorHash,
  ): (string | number)[] => [
    stateJson(expected),
    expected.confirmed !== undefined ? '' : expected.generation === 0 ? 'first' : 'later',
    bounds.now, bounds.rotatedAfter, bounds.createdAfter, next.rotatedAt, nextJson(next, anchorHash),
  ]

  async function rotateOne({ run }: Commands, rotation: Rotation): Promise<SessionRecord | null> {
    const replies = toList(await run(rotateScript, [names.session(rotation.handle)], argumentsOf(rotation)))
    return parseRotatedSession(rotation, replies[0])
  }

  async function rotateAll({ run }: Commands, all: readonly Rotation[]): Promise<Promise<SessionRecord | null>[]> {
    const keys = all.map(({ handle }) => names.session(handle))
    const replies = toList(await run(rotateScript, keys, all.flatMap(rotation => argumentsOf(rotation))))
    // Each separately: one that cannot be read does not fail the others, which are written.
    return all.map(async (rotation, index) => parseRotatedSession(rotation, replies[index]))
  }

  const rotateAlone = (rotation: Rotation): Promise<SessionRecord | null> =>
    connection.use(commands => rotateOne(commands, rotation))

  const rotations = batch(rotateAlone, all => connection.use(async commands => (
    // Sessions of a cluster are on different servers.
    commands.cluster ? all.map(rotateAlone) : rotateAll(commands, all)
  )), ROTATIONS)

  return {
    /**
     * Writes the session and its three index entries, and acknowledges the login when all of them exist: no session
     * whose tokens a client has can be missing in an index. The not-befores are read after the session is in the
     * index, and a removal reads that index after it has set its not-before. So either the removal finds the session,
     * or the login is refused.
     */
    async insert(record) {
      const { handle, userId, tenantId, createdAt, expiresAt } = record
      const userTag = userTagOf(userId)
      const shard = expiryShardOf(handle)
      const [session, user] = [names.session(handle), names.user(userTag)]
      const [expiry, newest] = [names.expiry(shard), names.newest(shard)]
      const [text, member] = [sessionJson(record, nextName()), `${handle}.${userTag}`]
      return connection.useDurably(() => [session, user, expiry], async ({ send, run, cluster }) => {
        const writing = Promise.all([
          send(session, ['SET', session, text, 'PX', `${keepFor(expiresAt, createdAt)}`, 'NX']),
          cluster && send(expiry, ['ZADD', expiry, 'NX', `${expiresAt}`, member]),
          cluster && send(newest, ['ZADD', newest, 'NX', `${createdAt}`, handle]),
        ])
        // The commands of one connection run in order; those of several servers do not.
        if (cluster) await writing
        const allUsersKey = names.notBeforeOfAll
        const keys = [user, names.notBefore(userTag), ...cluster ? [] : [allUsersKey, expiry, newest]]
        const [[added], listed, notBefore] = await Promise.all([
          writing,
          run(listLoginScript, keys, [createdAt, handle, tenantId, expiresAt, member]),
          cluster ? send(allUsersKey, ['HGET', allUsersKey, '']) : null,
        ])
        // A client that lost the answer may have sent the command again.
        if (added === null && await send(session, ['GET', session]) !== text) {
          throw new GeneralError('MISUSE', 'a session with this handle exists')
        }
        const isRefused = toInteger(listed) === 0 || (notBefore !== null && toInteger(notBefore) > createdAt)
        if (isRefused) {
          await send(session, ['DEL', session])
          connection.later(later => dropIndexEntries(later, names, [{ handle, userTag }]))
        }
        return !isRefused
      })
    },

    find: handle => connection.use(commands => readRecord(commands, names, handle)),

    rotate: rotations.call,

    reauthenticate(reauthentication) {
      const { handle, next } = reauthentication
      const key = names.session(handle)
      return connection.useDurably(() => [key], async ({ run }) => parseRotatedSession(reauthentication, await run(
        reauthenticateScript, [key], [...argumentsOf(reauthentication, next.anchorHash), next.authenticatedAt],
      )))
    },

    settled: rotations.settled,

    confirm: confirmations => connection.use(async ({ run, cluster }) => {
      // Sessions of a cluster are on different servers.
      await Promise.all(chunks(confirmations, cluster ? 1 : CONFIRMATIONS).map(chunk => run(
        confirmScript,
        chunk.map(({ handle }) => names.session(handle)),
        chunk.map(({ generation, branch }) => placeJson(generation, branch)),
      )))
    }),

    updateInfo({ handle, sessionInfo, expectedVersion, now }) {
      const key = names.session(handle)
      return connection.useDurably(() => [key], async ({ run }) =>
        toInteger(await run(updateInfoScript, [key], [now, JSON.stringify(sessionInfo), expectedVersion ?? ''])) === 1)
    },

    updatePayload({ handle, jwtPayload, expectedVersion, now, from }) {
      const expected = expectedVersion ?? ''
      const key = names.session(handle)
      return connection.useDurably(() => [names.changes, key], async commands => {
        const reply = commands.cluster
          ? await commands.run(updatePayloadScript, [key], [JSON.stringify(jwtPayload), now, expected])
          : await commands.run(publishPayloadScript, [...log.keys, key],
            [...log.args, from, handle, JSON.stringify(jwtPayload), now, expected])
        if (reply === null) return null
        const [version = 0, lifetime = 0] = toList(reply).map(toInteger)
        const until = from + lifetime
        if (commands.cluster) await log.append(commands, { kind: 'payload', handle, version, until })
        return { version, until }
      })
    },

    listByUser: (userId, page) => connection.use(commands => list(commands, userId, page)),
  }
}

function chunks<Item>(items: readonly Item[], size: number): (readonly Item[])[] {
  const starts = Array.from({ length: Math.ceil(items.length / size) }, (_, index) => index * size)
  return starts.map(start => items.slice(start, start + size))
}
