import type { SessionHandle } from '../../base/handle.ts'
import type { PagePosition } from '../page-position.ts'
import type { Commands } from './connection.ts'
import { expiryShardOf } from './key-names.ts'
import type { KeyNames } from './key-names.ts'
import { toHandle, toInteger, toPairs, toTexts } from './reply.ts'

/** A session that is gone, and where its index entries are. */
export interface Removed {
  readonly handle: SessionHandle
  readonly userTag: string
}

/** An entry of a user's index. */
export interface UserEntry extends PagePosition {
  readonly handle: SessionHandle
}

/**
 * Drops the index entries. Those of the expiry index come last: as long as such an entry is there, the next cleanup
 * finds it again.
 */
export async function dropIndexEntries(
  { send }: Commands,
  names: KeyNames,
  removed: readonly Removed[],
): Promise<void> {
  const drop = (key: string, members: readonly string[]): Promise<unknown> => send(key, ['ZREM', key, ...members])
  await byKey(removed.flatMap(({ handle, userTag }) => [
    [names.user(userTag), handle] as const, [names.newest(expiryShardOf(handle)), handle] as const,
  ]), drop)
  await byKey(removed.map(({ handle, userTag }) => (
    [names.expiry(expiryShardOf(handle)), `${handle}.${userTag}`]
  )), drop)
}

/** Groups texts by their key, and calls `send` once for each key. */
export async function byKey(
  entries: readonly (readonly [key: string, ...texts: string[]])[],
  send: (key: string, texts: readonly string[]) => Promise<unknown>,
): Promise<void> {
  const groups = new Map<string, string[]>()
  for (const [key, ...texts] of entries) {
    const group = groups.get(key)
    if (group === undefined) groups.set(key, texts)
    else group.push(...texts)
  }
  await Promise.all([...groups].map(([key, texts]) => send(key, texts)))
}

/** Reads entries of a user's index, each followed by its `createdAt`. @throws GeneralError for anything else. */
export function toUserEntries(reply: unknown): readonly UserEntry[] {
  return toPairs(toTexts(reply)).map(([handle, createdAt]) => (
    { handle: toHandle(handle), createdAt: toInteger(createdAt) }
  ))
}
