import type { SessionHandle } from '../../base/handle.ts'
import type { EpochMilliseconds } from '../../base/time.ts'
import type { NotBefore, Removal, SessionStore } from '../../session/store.ts'
import type { ChangeLog } from './change-log.ts'
import { announceScript, revokeScript } from './change-scripts.ts'
import type { Commands, RedisConnection } from './connection.ts'
import { expiryShardOf, expiryShards, userTagOf } from './key-names.ts'
import type { KeyNames } from './key-names.ts'
import { toHandle, toInteger, toList, toPairs, toText, toTexts } from './reply.ts'
import {
  claimScript, expireScript, expiryPageScript, refuseLoginsScript, removeOlderScript,
} from './session-scripts.ts'
import { stateJson } from './session-json.ts'

/** The methods of the port that remove sessions. */
export type Removals = Pick<
  SessionStore, 'remove' | 'removeUnchanged' | 'removeByUser' | 'removeAll' | 'removeExpired'
>

/** A removed session, and where its index entries are. */
interface Removed {
  readonly handle: SessionHandle
  readonly userTag: string
}

/** Which sessions to remove: the arguments of `fits`. */
type Filter = readonly [kind: 'any' | 'user' | 'tenant' | 'unchanged', first: string, second: string]

const any: Filter = ['any', '', '']

/** How many sessions a sweep reads from each part of the expiry index in addition to its share. */
const SPARE = 8

/**
 * How many times one call sweeps. Sessions that a sweep finds may have been refreshed since they were indexed; those
 * only move to their new position in the index.
 */
const SWEEPS = 50

/** How long an interrupted removal can still be completed, in milliseconds: longer than any access token lives. */
const REMEMBER = 7 * 24 * 60 * 60 * 1000

/**
 * Removes sessions. On one server a script deletes them and appends the change in one step. In a cluster, session and
 * change log are on different servers. So a deletion leaves a note in the session's slot, which is deleted only after
 * the change is in the log. If the process or a server fails in between, nothing was acknowledged: the caller that
 * tries again finds the note, announces the removal and returns that it was done. If the session were just deleted
 * first, the second try would find nothing to remove, and no process would ever learn of the removal. If the change
 * came first, concurrent callers would each write one.
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
    return { removed, until: toInteger(until) }
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
    if (claimed.length === 0) return { removed: [], until }
    const args = [...log.args, until, ...claimed.flatMap(({ name, handle }) => [name, handle])]
    const announced = new Set(toTexts(await commands.run(announceScript, [...log.keys, names.announced], args)))
    connection.later(async ({ send }) => Promise.all(claimed.map(({ handle }) => {
      const key = names.removal(handle)
      return send(key, ['DEL', key])
    })))
    return { removed: claimed.filter(({ handle }) => announced.has(handle)), until }
  }

  async function revoke(
    commands: Commands,
    handles: readonly SessionHandle[],
    from: EpochMilliseconds,
    filter: Filter,
  ): Promise<Removal> {
    if (handles.length === 0) return { handles: [], until: from }
    const distinct = [...new Set(handles)]
    const { removed, until } = await (commands.cluster ? revokeInSteps : revokeAtOnce)(commands, distinct, from, filter)
    connection.later(later => dropIndexEntries(later, removed))
    return { handles: removed.map(({ handle }) => handle), until }
  }

  /** The expiry index comes last: as long as the entry is there, the next sweep finds it again. */
  async function dropIndexEntries(commands: Commands, removed: readonly Removed[]): Promise<void> {
    await dropMembers(commands, removed.map(({ handle, userTag }) => [names.user(userTag), handle]))
    await dropMembers(commands, removed.map(({ handle, userTag }) =>
      [names.expiry(expiryShardOf(handle)), `${handle}.${userTag}`]))
  }

  async function sweep(commands: Commands, now: EpochMilliseconds, limit: number): Promise<Sweep> {
    const due = (await Promise.all(Array.from({ length: expiryShards }, async (_, shard) => {
      const key = names.expiry(shard)
      const share = Math.ceil(limit / expiryShards) + SPARE
      const command = ['ZRANGEBYSCORE', key, '-inf', `${now}`, 'LIMIT', '0', `${share}`]
      return toTexts(await commands.send(key, command)).map(member => ({ key, member }))
    }))).flat().slice(0, limit)
    const gone: Removed[] = []
    let removed = 0
    await Promise.all(due.map(async ({ key, member }) => {
      const [handleText, userTag = ''] = member.split('.')
      const handle = toHandle(handleText)
      const reply = toText(await commands.run(expireScript, [names.session(handle)], [now]))
      // XX: a session that was removed meanwhile must not be added to the index again.
      if (reply !== '0' && reply !== '1') await commands.send(key, ['ZADD', key, 'XX', reply, member])
      else gone.push({ handle, userTag })
      if (reply === '1') removed += 1
    }))
    await dropIndexEntries(commands, gone)
    return { seen: due.length, removed }
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
    await dropIndexEntries(commands, gone)
    return gone
  }

  /** Refuses logins before `time` from now on. Returns the handles in the user's index, if there is one. */
  async function refuseLogins(
    { run }: Commands,
    keys: readonly string[],
    tenantId: string | null,
    { time, until }: NotBefore,
  ): Promise<readonly SessionHandle[]> {
    const args = [tenantId ?? '', time, Math.max(until - time, 1)]
    return toList(await run(refuseLoginsScript, keys, args)).map(toHandle)
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

    removeByUser({ userId, tenantId, except, from, notBefore: limit }) {
      const userTag = userTagOf(userId)
      const [user, notBefore] = [names.user(userTag), names.notBefore(userTag)]
      let handles: readonly SessionHandle[] = []
      return connection.useDurably(() => [notBefore, ...places(handles)], async commands => {
        const listed = await refuseLogins(commands, [notBefore, user], tenantId, limit)
        handles = listed.filter(handle => handle !== except)
        return revoke(commands, handles, from,
          tenantId === null ? ['user', userId, ''] : ['tenant', userId, tenantId])
      })
    },

    removeAll({ notBefore, limit, after }) {
      const everybody = names.notBeforeOfAll
      const [shardText, score = '0', member = ''] = (after ?? '0').split(' ')
      const shard = Number(shardText)
      const key = names.expiry(shard)
      let gone: readonly Removed[] = []
      const written = (): string[] => [everybody, ...gone.map(({ handle }) => names.session(handle))]
      return connection.useDurably(written, async commands => {
        if (after === null) await refuseLogins(commands, [everybody], null, notBefore)
        const page = toPairs(toTexts(await commands.run(expiryPageScript, [key], [score, member, limit])))
        gone = await removeOlder(commands, page.map(([entry]) => entry), notBefore.time)
        const last = page.at(-1)
        const isLast = last === undefined || page.length < limit
        const next = isLast ? shard + 1 === expiryShards ? null : `${shard + 1}` : `${shard} ${last[1]} ${last[0]}`
        return { removed: gone.length, next }
      })
    },

    removeExpired: (now, limit) => connection.use(async commands => {
      await log.prune(commands, now)
      let removed = 0
      for (let round = 0; round < SWEEPS && removed < limit; round++) {
        const swept = await sweep(commands, now, limit - removed)
        removed += swept.removed
        if (swept.seen === 0) break
      }
      return removed
    }),
  }
}

interface Revoked {
  readonly removed: readonly Removed[]
  readonly until: EpochMilliseconds
}

interface Sweep {
  readonly seen: number
  readonly removed: number
}

/** Removes members from sorted sets, with one command for each set. */
async function dropMembers(
  { send }: Commands,
  entries: readonly (readonly [key: string, member: string])[],
): Promise<void> {
  const byKey = new Map<string, string[]>()
  for (const [key, member] of entries) {
    const members = byKey.get(key)
    if (members === undefined) byKey.set(key, [member])
    else members.push(member)
  }
  await Promise.all([...byKey].map(([key, members]) => send(key, ['ZREM', key, ...members])))
}
