import { createHash } from 'node:crypto'
import type { SessionHandle } from '../../base/handle.ts'
import type { EventKind } from '../../session/store.ts'

/**
 * The keys of a Redis store. The part in braces decides the slot in a Redis Cluster: the keys of one session are in one
 * slot, those of one user's index in another, and all shared keys in a third.
 */
export interface KeyNames {
  /** String: the session. */
  session(handle: SessionHandle): string
  /** Hash, in the session's slot: a removal that has not been announced yet. */
  removal(handle: SessionHandle): string
  /** String, in the session's slot: the import claim. */
  importClaim(handle: SessionHandle): string
  /** Sorted set: a user's handles by `createdAt`. */
  user(userTag: string): string
  /** Hash, in the slot of the user's index: not-befores by tenant; the one for all tenants has an empty field name. */
  notBefore(userTag: string): string
  /** Hash: the not-before of all users, with an empty field name. */
  readonly notBeforeOfAll: string
  /** Sorted set: `handle.userTag` by a time before which the session cannot have expired. */
  expiry(shard: number): string
  /** Sorted set, in the slot of the same part of the expiry index: handles by `createdAt`. */
  newest(shard: number): string
  /** Stream: the changes. */
  readonly changes: string
  /** Sorted set: the ids of the changes by their `until`. */
  readonly changeEnds: string
  /** Hash: the log's identity, its newest id, and up to when it was pruned. */
  readonly changeState: string
  /** Sorted set: the removals that have been announced, by their `until`. */
  readonly announced: string
  /** Hash: the signing keys by their `kid`. */
  readonly keys: string
  /** Sorted set: the `kid`s of a purpose by `activeFrom`. */
  keyOrder(purpose: string): string
  /** Hash: the events by their id. */
  readonly events: string
  /** Sorted set: the ids of events by their `until`. */
  readonly eventEnds: string
  /** Sorted set: the ids of the events of a kind by `at`; with a user or a session, of those that are about them. */
  eventOrder(kind: EventKind, userTag: string | null, handle: SessionHandle | null): string
  /** Hash: the leases by task. */
  readonly turns: string
  /** Hash: how many sessions were imported, by day and source. */
  readonly imports: string
  /** A key without a value, and a channel without subscribers: to try commands on. */
  readonly none: string
  /** The pattern for an ACL that matches all keys and the channel. */
  readonly pattern: string
  /** The pub/sub channel that receives a message for every change. */
  readonly channel: string
}

/**
 * How many keys, and so slots, the indexes of all sessions by expiry and by creation are spread over. Part of the data
 * format: it must never change.
 */
export const expiryShards = 16

/**
 * Names the keys. User data becomes part of a name only as a handle or a digest (ST-03). The rule for the option has
 * checked the prefix.
 */
export function keyNames(prefix: string): KeyNames {
  const shared = `${prefix}{shared}:`
  return {
    session: handle => `${prefix}session:{${handle}}`,
    removal: handle => `${prefix}removal:{${handle}}`,
    importClaim: handle => `${prefix}import:{${handle}}`,
    user: userTag => `${prefix}user:{${userTag}}`,
    notBefore: userTag => `${prefix}not-before:{${userTag}}`,
    notBeforeOfAll: `${shared}not-before`,
    expiry: shard => `${prefix}expiry:{expiry-${shard}}`,
    newest: shard => `${prefix}newest:{expiry-${shard}}`,
    changes: `${shared}changes`,
    changeEnds: `${shared}change-ends`,
    changeState: `${shared}change-state`,
    announced: `${shared}announced`,
    keys: `${shared}keys`,
    keyOrder: purpose => `${shared}key-order:${purpose}`,
    events: `${shared}events`,
    eventEnds: `${shared}event-ends`,
    eventOrder: (kind, userTag, handle) => `${shared}event-order:${kind}:${userTag ?? ''}:${handle ?? ''}`,
    turns: `${shared}turns`,
    imports: `${shared}imports`,
    none: `${shared}none`,
    pattern: `${prefix}*`,
    channel: `${prefix}changes`,
  }
}

/** The user's name in keys: 128 bits of SHA-256, so that every user id gives a short and plain name. */
export function userTagOf(userId: string): string {
  return createHash('sha256').update(userId).digest('base64url').slice(0, 22)
}

/** The part of the indexes by expiry and by creation that a session is in. */
export function expiryShardOf(handle: SessionHandle): number {
  let sum = 0
  for (let index = 0; index < handle.length; index++) sum += handle.charCodeAt(index)
  return sum % expiryShards
}
