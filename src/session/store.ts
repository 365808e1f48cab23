import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { KeyStore } from '../tokens/key-store.ts'
import type { SessionRecord } from './record.ts'

/**
 * Where sessions live. Small and whole: every method is there in every store, each hot one is a single round
 * trip, none decides and none but `time` reads a clock. A store that can not do its work throws; it never answers
 * "no session" instead. `storeContract` of `keyturn/testing` proves an implementation.
 */
export interface SessionStore extends KeyStore {
  /** Adds a session. Durable before it resolves. @throws GeneralError (`MISUSE`) if the handle exists. */
  insert(record: SessionRecord): Promise<void>
  /** Reads a session, expired or not. */
  find(handle: SessionHandle): Promise<SessionRecord | null>
  /**
   * The one write of a refresh: a compare-and-swap on the hash of the current refresh token. If the session's
   * `refreshHash` is `expectedHash` and it is {@link Rotation.alive}, it takes the values of `next`, its
   * `expiresAt` becomes the earlier of `next.rotatedAt + idleTimeout` and `absoluteExpiry`, and the new record
   * is returned. Otherwise nothing changes and null is returned. Of many racers exactly one wins (ROT-02).
   */
  rotate(rotation: Rotation): Promise<SessionRecord | null>
  /** Sets `confirmed` wherever generation and branch are still the session's. */
  confirm(confirmations: readonly Confirmation[]): Promise<void>
  /**
   * Replaces the session info and adds one to `infoVersion`, unless the session is gone or expired at `now`, or
   * its `infoVersion` is not `expectedVersion` (null: any). Whether it did.
   */
  updateInfo(update: InfoUpdate): Promise<boolean>
  /**
   * Replaces the JWT payload, adds one to `payloadVersion` and appends a `payload` change, unless the session is
   * gone or expired at `now`. The new version, or null if it did nothing.
   */
  updatePayload(update: PayloadUpdate): Promise<number | null>
  /**
   * Deletes sessions and appends one `revoked` change naming those that existed; none if none did.
   * Durable before it resolves. Returns the handles that were really deleted.
   */
  remove(handles: readonly SessionHandle[], until: EpochMilliseconds): Promise<readonly SessionHandle[]>
  /** As {@link SessionStore.remove}, for every session of the user but `except`: one change however many. */
  removeByUser(
    userId: string,
    except: SessionHandle | null,
    until: EpochMilliseconds,
  ): Promise<readonly SessionHandle[]>
  /** A page of the user's sessions, expired ones included: by `createdAt`, then by `handle`, both descending. */
  listByUser(userId: string, page: PageRequest): Promise<SessionPage>
  /** Deletes at most `limit` sessions expired at `now`, and changes whose `until` has passed. How many sessions. */
  removeExpired(now: EpochMilliseconds, limit: number): Promise<number>
  /**
   * Takes or prolongs the turn at a task until `until` for `holder`, unless another holds it at `now`.
   * Whether `holder` has it: one process at a time does the housekeeping.
   */
  takeTurn(task: string, holder: string, now: EpochMilliseconds, until: EpochMilliseconds): Promise<boolean>
  /**
   * The changes after the cursor, oldest first, at most `limit`; from the beginning for null. A change that was
   * acknowledged before the call is in this answer or in one that follows from its cursor: none is ever skipped.
   * A cursor that the log does not know (the store was emptied or restored) reads from the beginning.
   */
  changesSince(cursor: string | null, limit: number): Promise<ChangePage>
  /**
   * Calls `wake` soon after each change, from whichever process: a hint to read {@link SessionStore.changesSince},
   * where the store can push one. Hints may be lost; readers poll as well. Returns how to stop.
   */
  follow(wake: () => void): Promise<() => Promise<void>>
  /**
   * What time it is by the store's own clock, in one round trip: the clock that all processes go by. Null, always, if
   * the store has no other than that of the machine that calls.
   */
  time(): Promise<EpochMilliseconds | null>
  /** Releases what the store opened itself. */
  close(): Promise<void>
}

/** What a rotation expects and what it writes. */
export interface Rotation {
  readonly handle: SessionHandle
  /** The hash that the session must still have. */
  readonly expectedHash: string
  /** The session counts as alive if `expiresAt > now`, `rotatedAt > rotatedAfter` and `createdAt > createdAfter`. */
  readonly alive: Liveness
  readonly next: NextToken
}

/** The bounds of a live session, from its own lifetimes and the policy's (REV-05). */
export interface Liveness {
  readonly now: EpochMilliseconds
  readonly rotatedAfter: EpochMilliseconds
  readonly createdAfter: EpochMilliseconds
}

/** What a rotation changes in the record. */
export type NextToken = Pick<
  SessionRecord,
  'refreshHash' | 'generation' | 'branch' | 'confirmed' | 'rotatedAt' | 'servedAt' | 'client'
>

/** The client surely keeps this child. */
export interface Confirmation {
  readonly handle: SessionHandle
  readonly generation: number
  readonly branch: number
}

/** New session info, and what must still hold for it to be written. */
export interface InfoUpdate {
  readonly handle: SessionHandle
  readonly sessionInfo: string
  readonly expectedVersion: number | null
  readonly now: EpochMilliseconds
}

/** A new JWT payload. */
export interface PayloadUpdate {
  readonly handle: SessionHandle
  readonly jwtPayload: string
  readonly now: EpochMilliseconds
  /** How long the change is kept: as long as an access token with the old payload can live. */
  readonly until: EpochMilliseconds
}

/** Which page of a list. */
export interface PageRequest {
  /** At most this many, 1 to 1000. */
  readonly limit: number
  /** Where the page before ended, or null for the first. */
  readonly after: string | null
}

/** A page of records. */
export interface SessionPage {
  readonly sessions: readonly SessionRecord[]
  /** Where the next page begins, or null at the end. */
  readonly next: string | null
}

/** What verifying processes must hear of. */
export type Change =
  | { readonly kind: 'revoked'; readonly handles: readonly SessionHandle[]; readonly until: EpochMilliseconds }
  | {
    readonly kind: 'payload'
    readonly handle: SessionHandle
    readonly version: number
    readonly until: EpochMilliseconds
  }
  | { readonly kind: 'keys'; readonly until: EpochMilliseconds }

/** A page of the change log. */
export interface ChangePage {
  readonly changes: readonly Change[]
  /** Where the next call goes on. Opaque; null while the log has never had an entry. */
  readonly cursor: string | null
  /** Whether more changes are there already. */
  readonly more: boolean
}
