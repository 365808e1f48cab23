import * as wire from '../base/wire.ts'
import type { EndReason, TransferMode } from '../base/wire.ts'
import { readFrontToken, REMOVE } from './front-token.ts'
import type { SessionState } from './session-state.ts'

/** What happens next to a request that the server answered with "no session". */
export type AfterRefusal = 'return' | 'repeat' | 'refresh'

/** The message with which the session server asks for a refresh. */
export const REFRESH_MESSAGE: string = 'try refresh token'

/**
 * Decides what happens to a request that was refused for the first time. `sent` is the record that it was sent with,
 * `current` the record now. `expired`: by this device's clocks, the access token of `current` has expired. `settled`:
 * `current` is the result of this page's last refresh. `futile`: with this access token, the route has refused a
 * request again after a refresh. `message` is that of the body. Pure.
 */
export function decideAfterRefusal(
  mode: TransferMode,
  sent: SessionState | null,
  current: SessionState | null,
  expired: boolean,
  settled: boolean,
  futile: boolean,
  message: unknown,
): AfterRefusal {
  if (current?.front) {
    if (current.front !== sent?.front && !expired) return 'repeat'
    // A route whose 401 means something else costs at most one refresh per access token.
    return futile && message !== REFRESH_MESSAGE ? 'return' : 'refresh'
  }
  // Without a record, there may still be cookies of a session: browsers delete the storage of scripts sooner than
  // cookies, and no script sees a login by redirect. Then the server has seen an access token, and says so.
  const isSettled = current && (settled || current.signOut)
  return mode === 'cookie' && message === REFRESH_MESSAGE && !isSettled ? 'refresh' : 'return'
}

/** What the tab that holds the lock does for a refresh that was requested when the record was `wanted`. */
export type UnderLock = 'post' | 'refreshed' | 'ended'

/** Decides whether another tab has refreshed while this one waited for the lock. Pure. */
export function decideUnderLock(
  wanted: SessionState | null,
  current: SessionState | null,
  expired: boolean,
  mode: TransferMode,
): UnderLock {
  if (mode === 'header' && current?.refreshToken === undefined) return 'ended'
  if (current?.signOut) return 'ended'
  if (current === null || current.at === wanted?.at) return 'post'
  if (current.front === null) return 'ended'
  return expired || current.front === wanted?.front ? 'post' : 'refreshed'
}

/** The longest `Retry-After` that a refresh waits for, in milliseconds: twice the server's default reuse interval. */
const LONGEST_WAIT = 60_000

/**
 * What the response to a refresh means. `expired`, `theft`: the session has ended. `busy`: the server keeps the session
 * and says when to try again. `unavailable`: the response does not come from the session server, or it failed.
 */
export type RefreshReply = 'refreshed' | Extract<EndReason, 'expired' | 'theft'> | 'busy' | 'unavailable'

/**
 * Classifies the response to a refresh. Only a response that must come from the session server ends a session or is
 * `busy`; the page of a proxy or a captive portal does not. `front` is the front token before the refresh, `delay` the
 * result of {@link retryDelay}. Pure.
 */
export function classifyRefresh(
  status: number,
  headers: Pick<Headers, 'get'>,
  message: unknown,
  expiredStatus: number,
  front: string | null | undefined,
  delay: number | null,
): RefreshReply {
  const next = headers.get(wire.frontToken)
  if (status === expiredStatus && message === 'token theft detected') return 'theft'
  if (next === REMOVE || (status === expiredStatus && message === 'unauthorised')) return 'expired'
  const isSoon = delay !== null && delay <= LONGEST_WAIT
  if (status === 503 && message === 'session service unavailable' && isSoon) return 'busy'
  const isNew = next !== null && next !== front && readFrontToken(next) !== null
  return status >= 200 && status < 300 && isNew ? 'refreshed' : 'unavailable'
}

/**
 * How long a response asks the client to wait, in milliseconds: `Retry-After` in seconds or as a date (RFC 9110,
 * section 10.2.3); null without a valid one. `now` is this device's clock. Pure.
 */
export function retryDelay(headers: Pick<Headers, 'get'>, now: number): number | null {
  const text = headers.get('retry-after') ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  // Measured by the server's clock if `Date` can be read: this device's clock may be hours off.
  const delay = text.endsWith('GMT') ? Date.parse(text) - (Date.parse(headers.get('date') ?? '') || now) : NaN
  return Number.isNaN(delay) ? null : Math.max(0, delay)
}

const FIRST_PAUSE = 1000
const LONGEST_PAUSE = 30_000
const LONGEST_DELAY = 300_000

/**
 * How long to wait after `failures` failed refreshes in a row, in milliseconds. If the server asks for a longer
 * `delay`, the client waits for it and up to a twentieth more, at most 5 minutes. `random` is from 0 to 1. Pure.
 */
export function pauseAfter(failures: number, delay: number | null, random: number): number {
  const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1)) * (0.5 + random / 2)
  return Math.max(pause, Math.min((delay ?? 0) * (1 + random / 20), LONGEST_DELAY))
}
