import type { EpochMilliseconds } from '../../base/time.ts'
import type { Change, ChangePage } from '../../session/store.ts'
import { appendScript, forgetScript, pruneScript, readScript } from './change-scripts.ts'
import type { Commands } from './connection.ts'
import type { KeyNames } from './key-names.ts'
import { toHandle, toInteger, toList, toPairs, toText, toTexts, unreadable } from './reply.ts'

/** The change log of a Redis store. */
export interface ChangeLog {
  /** The first keys of every script that appends. */
  readonly keys: readonly string[]
  /** The first arguments of every script that appends. */
  readonly args: readonly string[]
  append(commands: Commands, change: Change & { readonly kind: 'payload' }): Promise<void>
  since(commands: Commands, cursor: string | null, limit: number): Promise<ChangePage>
  /** Removes at most `limit` changes that nobody needs any more. Returns whether there may be more of them. */
  prune(commands: Commands, now: EpochMilliseconds, limit: number): Promise<boolean>
  /** As {@link ChangeLog.prune}, for the names of removals that have been announced. */
  forget(commands: Commands, now: EpochMilliseconds, limit: number): Promise<boolean>
}

/** Creates the change log; `nextName` makes its id, at the first use, if Redis has no log yet. */
export function createChangeLog(names: KeyNames, nextName: () => string): ChangeLog {
  const keys = [names.changes, names.changeEnds, names.changeState]
  let args: readonly string[] | null = null
  const log: ChangeLog = {
    keys,
    get args() {
      return args ??= [names.channel, nextName()]
    },
    async append(commands, { kind, until, version, handle }) {
      await commands.run(appendScript, keys, [...log.args, kind, until, version, handle])
    },
    async since(commands, cursor, limit) {
      const known = cursor === null ? null : decode(cursor)
      const given = known === null ? ['', '', ''] : [known.log, known.id, known.until]
      const [id, from, head, more, ...rest] = toList(await commands.run(readScript, keys, [...given, limit]))
      if (id === undefined) return { changes: [], cursor: null, more: false }
      const page = toPairs(rest).map(([entry, fields]) => ({ id: toText(entry), change: changeOf(fields) }))
      const last = page.at(-1)
      const end = from === '-' ? `${toText(id)}.${toText(head)}.0` : cursor
      return {
        changes: page.map(({ change }) => change),
        cursor: last === undefined ? end : `${toText(id)}.${last.id}.${last.change.until}`,
        more: toInteger(more) === 1,
      }
    },
    async prune(commands, now, limit) {
      return toInteger(await commands.run(pruneScript, keys, [now, limit])) === limit
    },
    async forget(commands, now, limit) {
      return toInteger(await commands.run(forgetScript, [names.announced], [now, limit])) === limit
    },
  }
  return log
}

/**
 * A cursor holds the id of the log, the id of the entry that was read last, and that entry's `until`. If the entry is
 * gone, its `until` tells whether it was pruned in due time or lost.
 */
function decode(cursor: string): { readonly log: string; readonly id: string; readonly until: string } | null {
  const match = /^([\w-]+)\.(\d{1,16}-\d{1,16})\.(\d{1,16})$/.exec(cursor)
  const [, log, id, until] = match ?? []
  return log === undefined || id === undefined || until === undefined ? null : { log, id, until }
}

function changeOf(fields: unknown): Change {
  const { kind, until: untilText, version, handles } = Object.fromEntries(toPairs(toTexts(fields)))
  const until = toInteger(untilText)
  if (kind === 'keys') return { kind, until }
  if (kind === 'revoked') return { kind, handles: toText(handles).split(',').map(toHandle), until }
  if (kind !== 'payload') throw unreadable('a change')
  return { kind, handle: toHandle(handles), version: toInteger(version), until }
}
