import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'

/**
 * The kinds of events in the event log. `theft`: token theft. `shared`: a refresh token was delivered to two networks
 * or user agents. `rejected`: a refresh token with a valid tag was rejected. `audit`: an operator has done something.
 */
export const eventKinds = ['theft', 'shared', 'rejected', 'audit'] as const

/** One of `eventKinds`. */
export type EventKind = (typeof eventKinds)[number]

/** An event of the event log. It contains no secrets (ST-01). */
export interface StoredEvent {
  /** A unique id, 1 to 64 characters `A-Z`, `a-z`, `0-9`, `_`, `-`. Of two events, the later one has the greater id. */
  readonly id: string
  /** What happened. */
  readonly kind: EventKind
  /** When it happened, in milliseconds since 1970. */
  readonly at: EpochMilliseconds
  /** How long the event is kept. */
  readonly until: EpochMilliseconds
  /** The user whom the event is about; null if it is about none, or several. */
  readonly userId: string | null
  /** The session that the event is about; null if it is about none, or several. It may be gone. */
  readonly handle: SessionHandle | null
  /** A JSON text of at most 16,384 characters, whose content depends on the kind. */
  readonly detail: string
}

/** Selects events. */
export interface EventQuery {
  /** Events of these kinds, each named once; none if it is empty. */
  readonly kinds: readonly EventKind[]
  /** Events that are about this user; null: all. */
  readonly userId: string | null
  /** Events that are about this session; null: all. */
  readonly handle: SessionHandle | null
}

/** A page of the event log. */
export interface EventLogPage {
  /** The events, newest first. */
  readonly events: readonly StoredEvent[]
  /** Pass it as `after` for the next page; null on the last. */
  readonly next: string | null
}

/** Selects sessions of all users. A session must meet every condition that is not null. */
export interface LoginFilter {
  /** The id of the tenant, which must be equal. */
  readonly tenantId: string | null
  /** The address of the client, which must be equal. */
  readonly ip: string | null
  /** A part of the client's `User-Agent`, in upper or lower case. */
  readonly userAgent: string | null
}
