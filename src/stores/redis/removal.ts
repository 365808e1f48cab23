import type { SessionHandle } from '../../base/handle.ts'
import type { EpochMilliseconds } from '../../base/time.ts'
import type { NotBefore, Removal, SessionStore } from '../../session/store.ts'
import { decodePosition, encodePosition } from '../page-position.ts'
import type { ChangeLog } from './change-log.ts'
import { announceScript, revokeScript } from './change-scripts.ts'
import type { Commands, RedisConnection } from './connection.ts'
import { dropIndexEntries, toUserEntries } from './index-entries.ts'
import type { Removed, UserEntry } from './index-entries.ts'
import { expiryPageScript, refuseLoginsScript, userPageScript } from './index-scripts.ts'
import { expiryShards, userTagOf } from './key-names.ts'
import type { KeyNames } from './key-names.ts'
import { toHandle, toInteger, toList, toPairs, toText, toTexts } from './reply.ts'
import { claimScript, removeOlderScript } from './session-scripts.ts'
import { stateJson } from './session-json.ts'

/** The methods of the port that remove sessions. */
export type Removals = Pick<SessionStore, 'remove' | 'removeUnchanged' | 'removeByUser' | 'removeAll'>

/** Which sessions to remove: the arguments of `fits`. */
type Filter = readonly [kind: 'any' | 'user' | 'tenant' | 'unchanged', first: string, second: string]

const any: Filter = ['any', '', '']

/** The position after which to read a user's index, and how many entries. */
type PageArguments = readonly [createdAt: EpochMilliseconds, handle: string, count: number]

/** How long an interrupted removal can still be completed, in milliseconds: longer than any access token lives. */
const REMEMBER = 7 * 24 * 60 * 60 * 1000

/**
 * Removes sessions. On one server a script deletes them and appends the change in one step. In a cluster, session and
 * change log are on different servers. So a deletion leaves a note in the session's slot, which is deleted only after
 * the change is in the log. If the process or a server fails in between, nothing was acknowledged: the caller that
 * tries again finds the note, announces the removal and returns that it was done. If the session were just deleted
 * first, the second try would find nothing to remove, and no process would ever learn of the removal. If the change
 * came first, concurrent callers would each write one. A session with a note stays in the indexes, so that a second try
 * for all sessions of a user finds it as well.
 */
export function createRemoval(
  connection: RedisConnection,
  log: ChangeLog,
  names: KeyNames,
  nextName: () => string,
): Removals {
  async function revokeAtOnce(
    commands: Commands,
    handles: readonly SessionHandle[],
    from: EpochMilliseconds,
    filter: Filter,
  ): Promise<Revoked> {
    const keys = [...log.keys, ...handles.map(names.session)]
    const [until, ...flat] = toTexts(await commands.run(revokeScript, keys, [...log.args, from, ...filter, ...handles]))
    const removed = toPairs(flat).map(([handle, owner]) => (
      { handle: toHandle(handle), userTag: userTagOf(owner) }
    ))
    return { removed, gone: removed, until: toInteger(until) }
  }

  async function revokeInSteps(
    commands: Commands,
    handles: readonly SessionHandle[],
    from: EpochMilliseconds,
    filter: Filter,
  ): Promise<Revoked> {
    const claims = await Promise.all(handles.map(async handle => {
      const keys = [names.session(handle), names.removal(handle)]
      const reply = await commands.run(claimScript, keys, [nextName(), REMEMBER, ...filter])
      if (reply === null) return null
      const [name, owner, lifetime] = toList(reply)
      return { name: toText(name), handle, userTag: userTagOf(toText(owner)), lifetime: toInteger(lifetime) }
    }))
    const claimed = claims.filter(claim => claim !== null)
    const until = Math.max(from, ...claimed.map(({ lifetime }) => from + lifetime))
    if (claimed.length === 0) return { removed: [], gone: [], until }
    const args = [...log.args, until, ...claimed.flatMap(({ name, handle }) => [name, handle])]
    const announced = new Set(toTexts(await commands.run(announceScript, [...log.keys, names.announced], args)))
    connection.later(async ({ send }) => Promise.all(claimed.map(({ handle }) => {
      const key = names.removal(handle)
      return send(key, ['DEL', key])
    })))
    return { removed: claimed.filter(({ handle }) => announced.has(handle)), gone: claimed, until }
  }

  async function revoke(
    commands: Commands,
    handles: readonly SessionHandle[],
    from: EpochMilliseconds,
    filter: Filter,
  ): Promise<Removal> {
    if (handles.length === 0) return { handles: [], until: from }
    const distinct = [...new Set(handles)]
    const work = commands.cluster ? revokeInSteps : revokeAtOnce
    const { removed, gone, until } = await work(commands, distinct, from, filter)
    connection.later(later => dropIndexEntries(later, names, gone))
    return { handles: removed.map(({ handle }) => handle), until }
  }

  /**
   * Removes the sessions that were created before `time`, among some members of a part of the expiry index. A member
   * without a session stays: it may belong to a login in progress, whose session is written after it in a cluster.
   */
  async function removeOlder(
    commands: Commands,
    members: readonly string[],
    time: EpochMilliseconds,
  ): Promise<readonly Removed[]> {
    const outcomes = await Promise.all(members.map(async member => {
      const [text, userTag = ''] = member.split('.')
      const handle = toHandle(text)
      const removed = toInteger(await commands.run(removeOlderScript, [names.session(handle)], [time])) === 1
      return removed ? [{ handle, userTag }] : []
    }))
    const gone = outcomes.flat()
    await dropIndexEntries(commands, names, gone)
    return gone
  }

  /** Refuses logins before `time` from now on. Returns a page of the user's index, if there is one among the keys. */
  async function refuseLogins(
    { run }: Commands,
    keys: readonly string[],
    tenantId: string | null,
    { time, until }: NotBefore,
    page: PageArguments | readonly [] = [],
  ): Promise<readonly UserEntry[]> {
    const args = [tenantId ?? '', time, Math.max(until - time, 1), ...page]
    return toUserEntries(await run(refuseLoginsScript, keys, args))
  }

  /**
   * The keys whose replicas to wait for, even if nothing was removed: an earlier try may have removed the sessions and
   * then failed because too few replicas answered.
   */
  function places(handles: readonly SessionHandle[]): readonly string[] {
    return handles.length === 0 ? [] : [names.changes, ...handles.map(names.session)]
  }

  return {
    remove: (handles, from) => connection.useDurably(() => places(handles), commands =>
      revoke(commands, handles, from, any)),

    removeUnchanged: (handle, state, from) => connection.useDurably(() => places([handle]), commands =>
      revoke(commands, [handle], from, ['unchanged', stateJson(state), ''])),

    async removeByUser({ userId, tenantId, except, from, notBefore: earliest, limit, after }) {
      const userTag = userTagOf(userId)
      const [user, notBefore] = [names.user(userTag), names.notBefore(userTag)]
      const position = decodePosition(after)
      const page: PageArguments = [position.createdAt, position.handle, limit]
      let handles: readonly SessionHandle[] = []
      const written = (): string[] => [...after === null ? [notBefore] : [], ...places(handles)]
      return connection.useDurably(written, async commands => {
        const seen = after === null ? await refuseLogins(commands, [notBefore, user], tenantId, earliest, page)
          : toUserEntries(await commands.run(userPageScript, [user], page))
        handles = seen.map(({ handle }) => handle).filter(handle => handle !== except)
        const removal = await revoke(commands, handles, from,
          tenantId === null ? ['user', userId, ''] : ['tenant', userId, tenantId])
        const last = seen[limit - 1]
        return { ...removal, next: last === undefined ? null : encodePosition(last) }
      })
    },

    removeAll({ notBefore, limit, after }) {
      const allUsersKey = names.notBeforeOfAll
      const [shardText, score = '0', member = ''] = (after ?? '0').split(' ')
      const shard = Number(shardText)
      const key = names.expiry(shard)
      let gone: readonly Removed[] = []
      const written = (): string[] => [allUsersKey, ...gone.map(({ handle }) => names.session(handle))]
      return connection.useDurably(written, async commands => {
        if (after === null) await refuseLogins(commands, [allUsersKey], null, notBefore)
        const page = toPairs(toTexts(await commands.run(expiryPageScript, [key], [score, member, limit])))
        gone = await removeOlder(commands, page.map(([entry]) => entry), notBefore.time)
        const last = page.at(-1)
        const isLast = last === undefined || page.length < limit
        const next = isLast ? shard + 1 === expiryShards ? null : `${shard + 1}` : `${shard} ${last[1]} ${last[0]}`
        return { removed: gone.length, next }
      })
    },
  }
}

interface Revoked {
  /** The sessions that this call removed. */
  readonly removed: readonly Removed[]
  /** Those and the ones whose removal had been announced before, by a call that did not learn of it. */
  readonly gone: readonly Removed[]
  readonly until: EpochMilliseconds
}
