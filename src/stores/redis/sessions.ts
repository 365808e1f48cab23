import { GeneralError } from '../../base/errors.ts'
import type { SessionHandle } from '../../base/handle.ts'
import type { SessionRecord } from '../../session/record.ts'
import type { Rotation, SessionStore } from '../../session/store.ts'
import { batch } from '../batch.ts'
import { decodePosition, isAfter, toPage } from '../page-position.ts'
import type { ChangeLog } from './change-log.ts'
import { publishPayloadScript } from './change-scripts.ts'
import type { Commands, RedisConnection } from './connection.ts'
import { expiryShardOf, userTagOf } from './key-names.ts'
import type { KeyNames } from './key-names.ts'
import { toHandle, toInteger, toList } from './reply.ts'
import {
  confirmScript, keepFor, listLoginScript, reauthenticateScript, repairIndexScript, rotateScript, updateInfoScript,
  updatePayloadScript,
} from './session-scripts.ts'
import { nextJson, placeJson, parseRotatedSession, sessionJson, parseSession, stateJson } from './session-json.ts'

/** The methods of the port that read and write sessions. */
export interface SessionTable extends Pick<SessionStore, 'insert' | 'find' | 'rotate' | 'reauthenticate' | 'confirm'
  | 'updateInfo' | 'updatePayload' | 'listByUser'> {
  /** Resolves once every rotation has its answer. */
  settled(): Promise<void>
}

/**
 * How old a session without a record must be for its entry in the user's index to be dropped: longer than a login can
 * be under way, by far, since the age is told by the application's time and Redis' own.
 */
const REPAIR_AFTER = 60 * 60 * 1000

/**
 * How many rotations are one command: few enough for the server to work on some while the next are being prepared, and
 * the answers of others read.
 */
const ROTATIONS = 8

/** The sessions in Redis. `nextName` gives a name that no other command of any store has. */
export function createSessionTable(
  connection: RedisConnection,
  log: ChangeLog,
  names: KeyNames,
  nextName: () => string,
): SessionTable {
  async function read({ send }: Commands, handle: SessionHandle): Promise<SessionRecord | null> {
    const key = names.session(handle)
    return parseSession(handle, await send(key, ['GET', key]))
  }

  /**
   * The first `count` sessions of the user after the position, or all. The index tells only where to look: what it
   * lists counts if there is a record of this user, and what has none is dropped.
   */
  async function list(
    commands: Commands,
    userId: string,
    after: string | null,
    count: number,
  ): Promise<SessionRecord[]> {
    const position = decodePosition(after)
    const key = names.user(userTagOf(userId))
    for (let window = count + 16; ; window *= 2) {
      const command = ['ZREVRANGEBYSCORE', key, `${position.createdAt}`, '-inf', 'LIMIT', '0', `${window}`]
      const handles = toList(await commands.send(key, command)).map(toHandle)
      const found = await Promise.all(handles.map(handle => read(commands, handle)))
      const strays = handles.filter((_, index) => found[index]?.userId !== userId)
      if (strays.length > 0) connection.later(({ run }) => run(repairIndexScript, [key], [REPAIR_AFTER, ...strays]))
      const records = found.filter(record => record !== null)
        .filter(record => record.userId === userId && isAfter(record, position))
      if (records.length >= count || handles.length < window) return records.slice(0, count)
    }
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
    // Each for itself: one that cannot be read is no failure of the others, which are written.
    return all.map(async (rotation, index) => parseRotatedSession(rotation, replies[index]))
  }

  const rotateAlone = (rotation: Rotation): Promise<SessionRecord | null> =>
    connection.use(commands => rotateOne(commands, rotation))

  const rotations = batch(rotateAlone, all => connection.use(async commands => (
    // Sessions of a cluster lie on different servers.
    commands.cluster ? all.map(rotateAlone) : rotateAll(commands, all)
  )), ROTATIONS)

  return {
    /**
     * The session and its two index entries are written, and the login is acknowledged when all three are there: no
     * session that anybody holds tokens of can be missing in an index. The not-befores are read when it is in the index
     * that whoever sets them reads afterwards: so either that one finds the session, or the login is refused.
     */
    async insert(record) {
      const { handle, userId, tenantId, createdAt, expiresAt } = record
      const userTag = userTagOf(userId)
      const [session, user, expiry] = [names.session(handle), names.user(userTag), names.expiry(expiryShardOf(handle))]
      const text = sessionJson(record, nextName())
      return connection.useDurably(() => [session, user, expiry], async ({ send, run, cluster }) => {
        const writing = Promise.all([
          send(session, ['SET', session, text, 'PX', `${keepFor(expiresAt, createdAt)}`, 'NX']),
          send(expiry, ['ZADD', expiry, 'NX', `${expiresAt}`, `${handle}.${userTag}`]),
        ])
        // The commands of one connection are done in their order; those of several servers are not.
        if (cluster) await writing
        const everybody = names.notBeforeOfAll
        const keys = [user, names.notBefore(userTag), ...cluster ? [] : [everybody]]
        const [[added], listed, notBefore] = await Promise.all([
          writing,
          run(listLoginScript, keys, [createdAt, handle, tenantId]),
          cluster ? send(everybody, ['HGET', everybody, '']) : null,
        ])
        // A client that lost the answer may have sent the command once more.
        if (added === null && await send(session, ['GET', session]) !== text) {
          throw new GeneralError('MISUSE', 'a session with this handle exists')
        }
        const isRefused = toInteger(listed) === 0 || (notBefore !== null && toInteger(notBefore) > createdAt)
        if (isRefused) {
          await send(session, ['DEL', session])
          connection.later(later => Promise.all([
            later.send(user, ['ZREM', user, handle]), later.send(expiry, ['ZREM', expiry, `${handle}.${userTag}`]),
          ]))
        }
        return !isRefused
      })
    },

    find: handle => connection.use(commands => read(commands, handle)),

    rotate: rotations.call,

    reauthenticate(reauthentication) {
      const { handle, next } = reauthentication
      const key = names.session(handle)
      return connection.useDurably(() => [key], async ({ run }) => parseRotatedSession(reauthentication, await run(
        reauthenticateScript, [key], [...argumentsOf(reauthentication, next.anchorHash), next.authenticatedAt],
      )))
    },

    settled: rotations.settled,

    confirm: confirmations => connection.use(async ({ run }) => {
      await Promise.all(confirmations.map(({ handle, generation, branch }) =>
        run(confirmScript, [names.session(handle)], [placeJson(generation, branch)])))
    }),

    updateInfo({ handle, sessionInfo, expectedVersion, now }) {
      const key = names.session(handle)
      return connection.useDurably(() => [key], async ({ run }) =>
        toInteger(await run(updateInfoScript, [key], [now, JSON.stringify(sessionInfo), expectedVersion ?? ''])) === 1)
    },

    updatePayload({ handle, jwtPayload, now, from }) {
      const key = names.session(handle)
      return connection.useDurably(() => [names.changes, key], async commands => {
        const reply = commands.cluster
          ? await commands.run(updatePayloadScript, [key], [JSON.stringify(jwtPayload), now])
          : await commands.run(publishPayloadScript, [...log.keys, key],
            [...log.args, from, handle, JSON.stringify(jwtPayload), now])
        if (reply === null) return null
        const [version = 0, lifetime = 0] = toList(reply).map(toInteger)
        const until = from + lifetime
        if (commands.cluster) await log.append(commands, { kind: 'payload', handle, version, until })
        return { version, until }
      })
    },

    listByUser: (userId, { limit, after }) => connection.use(async commands =>
      toPage(await list(commands, userId, after, limit + 1), limit)),
  }
}
