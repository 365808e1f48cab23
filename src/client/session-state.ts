import { isObject, readFrontToken } from './front-token.ts'
import type { FrontToken } from './front-token.ts'

/**
 * The record of this browser's session. Each tab has a copy, and so has the storage; the one that was written last
 * counts for all, see {@link newer}.
 */
export interface SessionState {
  /** Orders the records of all tabs: milliseconds since 1970, always more than the record before. */
  readonly at: number
  /** When the front token arrived, in milliseconds since 1970 by this device's clock. */
  readonly received: number
  /** The front token as received; null if there is no session. It changes with every access token. */
  readonly front: string | null
  /** The anti-CSRF token: requests send it to prove that they come from the application's pages. */
  readonly antiCsrf?: string | undefined
  /** Only in header mode. */
  readonly accessToken?: string | undefined
  /** Only in header mode. */
  readonly refreshToken?: string | undefined
}

/** Reads a record from the storage (text) or from another tab (object); null for anything else. Pure. */
export function parseState(value: unknown): SessionState | null {
  try {
    const record: unknown = typeof value === 'string' ? JSON.parse(value) : value
    return isState(record) ? record : null
  } catch {
    return null
  }
}

function isState(value: unknown): value is SessionState {
  return isObject(value) && Number.isFinite(value['at'])
    && (value['front'] === null || typeof value['front'] === 'string')
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
