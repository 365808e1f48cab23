import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { KeyStore } from '../tokens/key-store.ts'
import type { ChangePage } from './change.ts'
import type { ImportClaims } from './import-claims.ts'
import type { SessionRecord } from './record.ts'
import type { EventLogPage, EventQuery, LoginFilter, StoredEvent } from './stored-event.ts'

export type { Change, ChangePage } from './change.ts'
export type { EventKind, EventLogPage, EventQuery, LoginFilter, StoredEvent } from './stored-event.ts'

/**
 * The port of a store of sessions. Every store implements every method. Each frequent method takes one round trip (a
 * login may take two). A store makes no decisions, and only `time` reads a clock. A store that fails throws; it never
 * returns "no session" instead. `storeContract` of `keyturn/testing/contracts` tests an implementation.
 */
export interface SessionStore extends KeyStore, ImportClaims {
  /**
   * Checks, before the first request, what a later call would need: that the store can be reached, its tables are there
   * and up to date, and the user may read and write them. Changes nothing. A store without tables or users only
   * connects.
   * @throws an error that says what is missing and how to add it: a GeneralError with that `reason`
   */
  check(): Promise<void>
  /**
   * Adds a session, unless a not-before of its user, of its user and tenant, or of all users is later than its
   * `createdAt`: a revocation came first. Returns whether it was added. If a login and a removal run at once, either
   * the login fails or the removal finds its session. Durable before it resolves.
   * @throws GeneralError (`MISUSE`) if the handle exists.
   */
  insert(record: SessionRecord): Promise<boolean>
  /** Reads a session, even if it has expired; null if there is none. */
  find(handle: SessionHandle): Promise<SessionRecord | null>
  /**
   * The write of a refresh: a compare-and-swap. If the session matches `expected` and `bounds` of the rotation, the
   * store sets the values of `next`, sets `expiresAt` to the earlier of `next.rotatedAt + idleTimeout` and
   * `absoluteExpiry`, and returns the new record. Otherwise it changes nothing and returns null. Of concurrent calls,
   * exactly one succeeds (ROT-02).
   */
  rotate(rotation: Rotation): Promise<SessionRecord | null>
  /**
   * The write of a re-authentication: as {@link SessionStore.rotate}, but it also replaces the anchor and the time of
   * the authentication, and it is durable before it resolves.
   */
  reauthenticate(reauthentication: Reauthentication): Promise<SessionRecord | null>
  /**
   * Sets `confirmed` on each session that still has this generation and branch, and writes nothing where it is set
   * already. At most 500 at a time.
   */
  confirm(confirmations: readonly Confirmation[]): Promise<void>
  /**
   * Replaces the session data and adds 1 to `infoVersion`, unless the session does not exist, has expired at `now`, or
   * its `infoVersion` is not `expectedVersion` (null: any). Returns whether it did.
   */
  updateInfo(update: InfoUpdate): Promise<boolean>
  /**
   * Replaces the JWT payload, adds 1 to `payloadVersion` and appends a `payload` change, unless the session does not
   * exist, has expired at `now`, or its `payloadVersion` is not `expectedVersion` (null: any). Returns null if it
   * changed nothing.
   */
  updatePayload(update: PayloadUpdate): Promise<PayloadUpdated | null>
  /**
   * Deletes at most `REMOVAL_LIMIT` sessions and appends one `revoked` change with the handles of those that
   * existed; no change if none did. Concurrent calls may share a change. The change is kept until `from` plus the
   * longest `accessTokenLifetime` among them. Durable before it resolves.
   */
  remove(handles: readonly SessionHandle[], from: EpochMilliseconds): Promise<Removal>
  /** As {@link SessionStore.remove}, for one session, if its token state is still this one. */
  removeUnchanged(handle: SessionHandle, state: TokenState, from: EpochMilliseconds): Promise<Removal>
  /**
   * As {@link SessionStore.remove}, for the sessions of a user, newest first: each call looks at no more than
   * `removal.limit` of them. The first call (`removal.after` is null) also sets the not-before of the user, or of the
   * user and tenant: no login that began earlier is added from then on, not even between two calls.
   */
  removeByUser(removal: UserRemoval): Promise<RemovedOfUser>
  /**
   * Deletes sessions of all users that were not created after `page.notBefore`, at most `page.limit` per call. Appends
   * no change. The first call (`page.after` is null) sets the not-before of all users.
   */
  removeAll(page: RemovalPage): Promise<RemovedPage>
  /** Lists sessions of a user, expired ones included: by `createdAt`, then by `handle`, both descending. */
  listByUser(userId: string, page: PageRequest): Promise<SessionPage>
  /**
   * Lists sessions of all users that pass the filter, in the order of {@link SessionStore.listByUser}, expired ones
   * included. A call looks at no more than {@link SCAN_LIMIT} sessions, whatever the filter. So a page may be shorter
   * than `limit`, and even empty, although `next` is not null: the search continues there.
   */
  listNewest(filter: LoginFilter, page: PageRequest): Promise<SessionPage>
  /**
   * Deletes sessions that have expired at `now`, and changes, not-befores, events and import claims whose `until` has
   * passed: at most `limit` of each kind, 1 to 1000, also counting those that it looks at and keeps. A failure with one
   * kind does not prevent the others; it is thrown at the end. A store that works on the thread of the caller lets the
   * event loop run at least every 5 ms.
   */
  removeExpired(now: EpochMilliseconds, limit: number): Promise<RemovedExpired>
  /**
   * Acquires or extends the lease of a task for `holder` until `until`, unless another holder has it at `now`. Returns
   * whether `holder` has it. With a lease, one process at a time does the cleanup.
   */
  acquireLease(task: string, holder: string, now: EpochMilliseconds, until: EpochMilliseconds): Promise<boolean>
  /**
   * Returns at most `limit` changes after the cursor, oldest first; null: from the beginning. (A page has at most
   * `REMOVAL_LIMIT` handles per change.) A change that was acknowledged before the call is in this page or in one that
   * follows its cursor: no change is ever skipped. With a cursor that the log does not know (the store was emptied or
   * restored), it reads from the beginning.
   */
  changesSince(cursor: string | null, limit: number): Promise<ChangePage>
  /**
   * Calls `wake` soon after each change of any process, if the store can notify: the caller then reads {@link
   * SessionStore.changesSince}. Notifications may be lost, so callers also poll. Returns a function that stops it.
   */
  follow(wake: () => void): Promise<() => Promise<void>>
  /** Appends an event to the event log; an event whose id is in the log changes nothing. Durable before it resolves. */
  appendEvent(event: StoredEvent): Promise<void>
  /** Returns a page of the event log, newest first: by `at`, then by `id`, both descending. */
  pageEvents(query: EventQuery, page: PageRequest): Promise<EventLogPage>
  /**
   * Returns the store server's clock, in one round trip; all processes use it. Always null if the store runs on the
   * machine of the caller and uses its clock.
   */
  time(): Promise<EpochMilliseconds | null>
  /** Closes what the store opened itself. Further calls do nothing. */
  close(): Promise<void>
}

/** The condition of a rotation, and what it writes. */
export interface Rotation {
  readonly handle: SessionHandle
  /** The state that the session's token must be in. */
  readonly expected: PresentedState | TokenState
  /** The session counts as active if `expiresAt > now`, `rotatedAt > rotatedAfter` and `createdAt > createdAfter`. */
  readonly bounds: ActiveBounds
  readonly next: NextToken
}

/** The bounds of an active session, from its own lifetimes and those of the policy (REV-05). */
export interface ActiveBounds {
  readonly now: EpochMilliseconds
  readonly rotatedAfter: EpochMilliseconds
  readonly createdAfter: EpochMilliseconds
}

/**
 * The condition of a rotation without reading the record: the presented token is current, and it may be rotated at
 * `bounds.now`. That is if the generation or the record's `reuseInterval` is 0, or `servedAt` is more than twice that
 * interval ago, or `rotatedAt` more than six times.
 */
export interface PresentedState extends Pick<SessionRecord, 'refreshHash' | 'anchorHash' | 'generation' | 'branch'> {
  readonly confirmed?: never
}

/** The token state of the record that was read. A decision that was based on it is valid only while it is unchanged. */
export type TokenState = Pick<
  SessionRecord,
  'refreshHash' | 'anchorHash' | 'generation' | 'branch' | 'confirmed' | 'rotatedAt' | 'servedAt'
>

/** The fields that a rotation sets. */
export type NextToken = Pick<
  SessionRecord,
  'refreshHash' | 'refreshKeyId' | 'generation' | 'branch' | 'confirmed' | 'rotatedAt' | 'servedAt' | 'client'
>

/** The condition of a re-authentication, and what it writes. */
export interface Reauthentication extends Rotation {
  readonly expected: TokenState
  readonly next: NextToken & Pick<SessionRecord, 'anchorHash' | 'authenticatedAt'>
}

/** The result of a removal. */
export interface Removal {
  /** The handles of the deleted sessions. */
  readonly handles: readonly SessionHandle[]
  /** How long the change is kept; meaningless if no session was deleted. */
  readonly until: EpochMilliseconds
}

/**
 * The most sessions that one call removes, and so the most handles in one change: it bounds how long the call holds
 * locks, and how long a page of the change log can be.
 */
export const REMOVAL_LIMIT = 100

/** The most sessions that one call of {@link SessionStore.listNewest} looks at. */
export const SCAN_LIMIT = 1000

/** The result of {@link SessionStore.removeByUser}. */
export interface RemovedOfUser extends Removal {
  /** Pass it as `after` to the next call; null at the end. */
  readonly next: string | null
}

/** The result of {@link SessionStore.removeExpired}. */
export interface RemovedExpired {
  /** The number of deleted sessions. */
  readonly removed: number
  /** Whether more may be due: call again. */
  readonly more: boolean
}

/** Which sessions of a user to delete. */
export interface UserRemoval {
  readonly userId: string
  /** The id of the tenant; null: all tenants. */
  readonly tenantId: string | null
  /** The handle of a session to keep, or null. */
  readonly except: SessionHandle | null
  /** As in {@link SessionStore.remove}. */
  readonly from: EpochMilliseconds
  readonly notBefore: NotBefore
  /** How many sessions of the user to look at: 1 to `REMOVAL_LIMIT`. */
  readonly limit: number
  /** The `next` of the previous call; null for the first. */
  readonly after: string | null
}

/** Rejects logins that began before a point in time. */
export interface NotBefore {
  /** Logins with an earlier `createdAt` are rejected. Of two not-befores of one user, the later counts. */
  readonly time: EpochMilliseconds
  /** How long the not-before is kept. */
  readonly until: EpochMilliseconds
}

/** One call of {@link SessionStore.removeAll}. */
export interface RemovalPage {
  readonly notBefore: NotBefore
  /** At most this many, 1 to 1000. */
  readonly limit: number
  /** The `next` of the previous call; null for the first. */
  readonly after: string | null
}

/** The result of {@link SessionStore.removeAll}. */
export interface RemovedPage {
  readonly removed: number
  /** Pass it as `after` to the next call; null at the end. */
  readonly next: string | null
}

/** Says that the client has certainly stored this refresh token. */
export interface Confirmation {
  readonly handle: SessionHandle
  readonly generation: number
  readonly branch: number
}

/** New session data, and the condition for writing it. */
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
  readonly expectedVersion: number | null
  readonly now: EpochMilliseconds
  /** The change is kept until `from` plus the session's `accessTokenLifetime`. */
  readonly from: EpochMilliseconds
}

/** The result of a {@link PayloadUpdate}. */
export interface PayloadUpdated {
  readonly version: number
  /** How long the change is kept. */
  readonly until: EpochMilliseconds
}

/** Selects a page of a list. */
export interface PageRequest {
  /** At most this many, 1 to 1000. */
  readonly limit: number
  /** The `next` of the previous page; null for the first. */
  readonly after: string | null
}

/** The fields of a record that a list contains: neither JWT payload nor session data, which can be long. */
export type ListedSession = Pick<
  SessionRecord, 'handle' | 'userId' | 'tenantId' | 'createdAt' | 'rotatedAt' | 'expiresAt' | 'client'
>

/** A page of sessions. */
export interface SessionPage {
  readonly sessions: readonly ListedSession[]
  /** Pass it as `after` for the next page; null on the last. */
  readonly next: string | null
}
