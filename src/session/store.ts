import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { KeyStore } from '../tokens/key-store.ts'
import type { SessionRecord } from './record.ts'

/**
 * Where sessions live. Small and whole: every method is there in every store, each hot one is a single round trip (a
 * login may take two), none decides and none but `time` reads a clock. A store that cannot do its work throws; it never
 * answers "no session" instead. `storeContract` of `keyturn/testing/contracts` proves an implementation.
 */
export interface SessionStore extends KeyStore {
  /**
   * Adds a session, unless a not-before of its user, of its user and tenant, or of everybody is later than its
   * `createdAt`: then a revocation has ended it before it began. Whether it did. Of a login and a removal that race,
   * either the login is refused or the removal finds its session. Durable before it resolves.
   * @throws GeneralError (`MISUSE`) if the handle exists.
   */
  insert(record: SessionRecord): Promise<boolean>
  /** Reads a session, expired or not. */
  find(handle: SessionHandle): Promise<SessionRecord | null>
  /**
   * The one write of a refresh: a compare-and-swap. If the session is as {@link Rotation.expected} and
   * {@link Rotation.bounds}, it takes the values of `next`, its `expiresAt` becomes the earlier of
   * `next.rotatedAt + idleTimeout` and `absoluteExpiry`, and the new record is returned. Otherwise nothing changes and
   * null is returned. Of many racers exactly one wins (ROT-02).
   */
  rotate(rotation: Rotation): Promise<SessionRecord | null>
  /**
   * The one write of a re-authentication: as {@link SessionStore.rotate}, but it also replaces the anchor and the time
   * of the authentication, and is durable before it resolves.
   */
  reauthenticate(reauthentication: Reauthentication): Promise<SessionRecord | null>
  /** Sets `confirmed` wherever generation and branch are still the session's. */
  confirm(confirmations: readonly Confirmation[]): Promise<void>
  /**
   * Replaces the session info and adds one to `infoVersion`, unless the session is gone or expired at `now`, or
   * its `infoVersion` is not `expectedVersion` (null: any). Whether it did.
   */
  updateInfo(update: InfoUpdate): Promise<boolean>
  /**
   * Replaces the JWT payload, adds one to `payloadVersion` and appends a `payload` change, unless the session is
   * gone or expired at `now`. What it did, or null if it did nothing.
   */
  updatePayload(update: PayloadUpdate): Promise<PayloadUpdated | null>
  /**
   * Deletes sessions and appends one `revoked` change naming those that existed; none if none did. The change is kept
   * until `from` plus the longest `accessTokenLifetime` among them. Durable before it resolves.
   */
  remove(handles: readonly SessionHandle[], from: EpochMilliseconds): Promise<Removal>
  /** As {@link SessionStore.remove}, for one session, if its token is still in this state. */
  removeUnchanged(handle: SessionHandle, state: TokenState, from: EpochMilliseconds): Promise<Removal>
  /**
   * As {@link SessionStore.remove}, for the sessions of a user: one change however many. Also sets the not-before of
   * the user, or of the user and tenant: no login that began earlier is added from then on, however late it comes.
   */
  removeByUser(removal: UserRemoval): Promise<Removal>
  /**
   * Deletes sessions of everybody that were not created after `page.notBefore`, at most `page.limit` in one call, and appends
   * no change. The first call (`page.after` is null) sets the not-before of everybody.
   */
  removeAll(page: RemovalPage): Promise<RemovedPage>
  /** A page of the user's sessions, expired ones included: by `createdAt`, then by `handle`, both descending. */
  listByUser(userId: string, page: PageRequest): Promise<SessionPage>
  /**
   * Deletes at most `limit` sessions expired at `now`, and changes and not-befores whose `until` has passed. How many
   * sessions.
   */
  removeExpired(now: EpochMilliseconds, limit: number): Promise<number>
  /**
   * Takes or prolongs the turn at a task until `until` for `holder`, unless another holds it at `now`.
   * Whether `holder` has it: one process at a time does the cleanup.
   */
  acquireLease(task: string, holder: string, now: EpochMilliseconds, until: EpochMilliseconds): Promise<boolean>
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
  /** Releases what the store opened itself. A second call does nothing. */
  close(): Promise<void>
}

/** What a rotation expects and what it writes. */
export interface Rotation {
  readonly handle: SessionHandle
  /** The state that the session's token must be in. */
  readonly expected: PresentedState | TokenState
  /** The session counts as active if `expiresAt > now`, `rotatedAt > rotatedAfter` and `createdAt > createdAfter`. */
  readonly bounds: ActiveBounds
  readonly next: NextToken
}

/** The bounds of a live session, from its own lifetimes and the policy's (REV-05). */
export interface ActiveBounds {
  readonly now: EpochMilliseconds
  readonly rotatedAfter: EpochMilliseconds
  readonly createdAfter: EpochMilliseconds
}

/**
 * The token is the one that was presented, whose record was not read, and it may be rotated at `bounds.now`: the
 * generation or the record's `reuseInterval` is 0, or `servedAt` is more than twice that interval ago, or `rotatedAt`
 * more than six times.
 */
export interface PresentedState extends Pick<SessionRecord, 'refreshHash' | 'anchorHash' | 'generation' | 'branch'> {
  readonly confirmed?: never
}

/** All of the token's state as it was read: whatever was decided by it holds only while nothing of it has changed. */
export type TokenState = Pick<
  SessionRecord,
  'refreshHash' | 'anchorHash' | 'generation' | 'branch' | 'confirmed' | 'rotatedAt' | 'servedAt'
>

/** What a rotation changes in the record. */
export type NextToken = Pick<
  SessionRecord,
  'refreshHash' | 'refreshKeyId' | 'generation' | 'branch' | 'confirmed' | 'rotatedAt' | 'servedAt' | 'client'
>

/** What a re-authentication expects and what it writes. */
export interface Reauthentication extends Rotation {
  readonly expected: TokenState
  readonly next: NextToken & Pick<SessionRecord, 'anchorHash' | 'authenticatedAt'>
}

/** What was deleted. */
export interface Removal {
  /** The sessions that existed. */
  readonly handles: readonly SessionHandle[]
  /** How long the change that names them is kept; meaningless if there were none. */
  readonly until: EpochMilliseconds
}

/** Which sessions of a user to delete. */
export interface UserRemoval {
  readonly userId: string
  /** Those of this tenant; null: of all. */
  readonly tenantId: string | null
  /** The one to spare, or null. */
  readonly except: SessionHandle | null
  /** As in {@link SessionStore.remove}. */
  readonly from: EpochMilliseconds
  readonly notBefore: NotBefore
}

/** Which logins are refused. */
export interface NotBefore {
  /** Those whose `createdAt` is earlier. Of two not-befores of one user the later holds. */
  readonly time: EpochMilliseconds
  /** How long that is remembered. */
  readonly until: EpochMilliseconds
}

/** A part of all sessions. */
export interface RemovalPage {
  readonly notBefore: NotBefore
  /** At most this many, 1 to 1000. */
  readonly limit: number
  /** Where the call before ended, or null for the first. */
  readonly after: string | null
}

/** What was done of {@link RemovalPage}. */
export interface RemovedPage {
  readonly removed: number
  /** Where the next call begins, or null at the end. */
  readonly next: string | null
}

/** The client has certainly stored this child. */
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
  /** The change is kept until this and the session's `accessTokenLifetime`. */
  readonly from: EpochMilliseconds
}

/** What a {@link PayloadUpdate} did. */
export interface PayloadUpdated {
  readonly version: number
  /** How long the change is kept. */
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
