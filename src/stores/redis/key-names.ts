import { createHash } from 'node:crypto'
import type { SessionHandle } from '../../base/handle.ts'

/**
 * The keys of a Redis store. What stands in braces decides the slot of a Redis Cluster: the keys of one session lie
 * in one slot, those of one user's index in another, and all that is shared in a third.
 */
export interface KeyNames {
  /** String: the session. */
  session(handle: SessionHandle): string
  /** Hash, in the session's slot: a removal that has not been announced yet. */
  removal(handle: SessionHandle): string
  /** Sorted set: a user's handles by `createdAt`. */
  user(userTag: string): string
  /** Hash, in the slot of the user's index: not-befores by tenant; that of all tenants under the empty name. */
  notBefore(userTag: string): string
  /** Hash: the not-before of everybody, under the empty name. */
  readonly notBeforeOfAll: string
  /** Sorted set: `handle.userTag` by a point in time before which the session cannot have expired. */
  expiry(shard: number): string
  /** Stream: the changes. */
  readonly changes: string
  /** Sorted set: the ids of the changes by their `until`. */
  readonly changeEnds: string
  /** Hash: the log's identity, its newest id, and up to when it was pruned. */
  readonly changeState: string
  /** Sorted set: the removals that have been announced, by their `until`. */
  readonly announced: string
  /** Hash: the keys by their `kid`. */
  readonly keys: string
  /** Sorted set: the `kid`s of a purpose by `activeFrom`. */
  keyOrder(purpose: string): string
  /** Hash: who has the turn at a task. */
  readonly turns: string
  /** The pub/sub channel on which every change is hinted. */
  readonly channel: string
}

/** Over how many keys, and so slots, the expiry index is spread. Part of the data's form: never to be changed. */
export const expiryShards = 16

/**
 * Names the keys. Data reaches a name as a handle or as a digest only (ST-03); the options' rules have judged the
 * prefix.
 */
export function keyNames(prefix: string): KeyNames {
  const shared = `${prefix}{shared}:`
  return {
    session: handle => `${prefix}session:{${handle}}`,
    removal: handle => `${prefix}removal:{${handle}}`,
    user: userTag => `${prefix}user:{${userTag}}`,
    notBefore: userTag => `${prefix}not-before:{${userTag}}`,
    notBeforeOfAll: `${shared}not-before`,
    expiry: shard => `${prefix}expiry:{expiry-${shard}}`,
    changes: `${shared}changes`,
    changeEnds: `${shared}change-ends`,
    changeState: `${shared}change-state`,
    announced: `${shared}announced`,
    keys: `${shared}keys`,
    keyOrder: purpose => `${shared}key-order:${purpose}`,
    turns: `${shared}turns`,
    channel: `${prefix}changes`,
  }
}

/** A user's name in keys: 128 bits of SHA-256, so that any user id gives a short plain one. */
export function userTagOf(userId: string): string {
  return createHash('sha256').update(userId).digest('base64url').slice(0, 22)
}

/** In which part of the expiry index a session is. */
export function expiryShardOf(handle: SessionHandle): number {
  let sum = 0
  for (let index = 0; index < handle.length; index++) sum += handle.charCodeAt(index)
  return sum % expiryShards
}
