import type { EndReason } from '../base/wire.ts'
import { isObject, readFrontToken } from './front-token.ts'
import type { FrontToken } from './front-token.ts'

/**
 * The record of this browser's session. Each tab has a copy, and so has the storage; the one that was written last
 * counts for all, see {@link newer}.
 */
export interface SessionState {
  /** Orders the records of all tabs: milliseconds since 1970, always more than the record before. */
  readonly at: number
  /**
   * The `at` of the record with which this session began, or with which the one before ended. The response to a request
   * that was sent in another generation changes nothing.
   */
  readonly generation: number
  /** When the front token arrived, in milliseconds since 1970 by this device's clock. */
  readonly received: number
  /** The front token as received; null if there is no session. It changes with every access token. */
  readonly front: string | null
  /** Why the session before this generation ended. */
  readonly ended?: EndReason | undefined
  /** A sign-out that the server has not confirmed: what it needs. */
  readonly signOut?: PendingSignOut | undefined
  /** The anti-CSRF token: requests send it to prove that they come from the application's pages. */
  readonly antiCsrf?: string | undefined
  /** Only in header mode. */
  readonly accessToken?: string | undefined
  /** Only in header mode. */
  readonly refreshToken?: string | undefined
}

/** What the request needs that signs a session out after this browser has forgotten it. */
export interface PendingSignOut extends Pick<SessionState, 'antiCsrf' | 'refreshToken'> {
  /** The session's handle; empty if it is unknown. */
  readonly handle: string
}

/** Reads a record from the storage or from another tab, as JSON; null for anything else. Pure. */
export function parseState(text: unknown): SessionState | null {
  try {
    const record: unknown = JSON.parse(String(text))
    return isState(record) ? record : null
  } catch {
    return null
  }
}

function isState(value: unknown): value is SessionState {
  if (!isObject(value)) return false
  const { at, generation, front } = value
  return typeof at === 'number' && typeof generation === 'number' && (front === null || typeof front === 'string')
}

/** The later of two records. All tabs agree in the end, in whatever order they receive changes. Pure. */
export function newer(left: SessionState | null, right: SessionState | null): SessionState | null {
  if (left === null || right === null) return left ?? right
  const lead = right.at - left.at || ((right.front ?? '') > (left.front ?? '') ? 1 : 0)
  return lead > 0 ? right : left
}

/** The decoded front token of a record; null if there is no session. Pure. */
export function tokenOf(record: SessionState | null): FrontToken | null {
  return record?.front == null ? null : readFrontToken(record.front)
}

/** The session's handle in a front token. */
export function sessionHandleOf(token: FrontToken | null): string {
  return String(token?.up['sid'] ?? '')
}

/** Whether the session lasts until the browser is closed, as its cookies do (`persistent: false`). Pure. */
export function isTemporary(record: SessionState | null): boolean {
  const own = tokenOf(record)?.up['keyturn']
  return isObject(own) && own['tmp'] === true
}
