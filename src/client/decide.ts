import * as wire from '../base/wire.ts'
import type { TransferMode } from '../base/wire.ts'
import { readFrontToken, REMOVE } from './front-token.ts'
import type { SessionState } from './session-state.ts'

/** What a request that was answered with "no session" does next. */
export type AfterRefusal = 'return' | 'repeat' | 'refresh'

/**
 * Decides what a request does that was refused for the first time. `sent` is the record that it was sent with,
 * `current` the one now; `expired`: its access token can not be used any more, as far as this device can tell;
 * `settled`: it is what this page's last refresh left. Pure.
 */
export function decideAfterRefusal(
  mode: TransferMode,
  sent: SessionState | null,
  current: SessionState | null,
  expired: boolean,
  settled: boolean,
): AfterRefusal {
  if (current?.front) return current.front !== sent?.front && !expired ? 'repeat' : 'refresh'
  // Without a session, cookies of one may be there all the same: script's storage is deleted sooner, and a login by
  // redirect is seen by no script.
  return mode === 'cookie' && (current === null || !settled) ? 'refresh' : 'return'
}

/** What the holder of the lock does about a refresh that was wanted when the record was `wanted`. */
export type UnderLock = 'post' | 'refreshed' | 'ended'

/** Decides whether another tab has done the work while this one waited for its turn. Pure. */
export function decideUnderLock(
  wanted: SessionState | null,
  current: SessionState | null,
  expired: boolean,
  mode: TransferMode,
): UnderLock {
  if (mode === 'header' && current?.refreshToken === undefined) return 'ended'
  if (current === null || current.at === wanted?.at) return 'post'
  if (current.front === null) return 'ended'
  return expired || current.front === wanted?.front ? 'post' : 'refreshed'
}

/** The longest `Retry-After` that a refresh waits for, in milliseconds: twice the server's default reuse interval. */
const LONGEST_WAIT = 60_000

/** What the answer to a refresh means; `busy`: the server keeps the session and says when to try again. */
export type Verdict = 'refreshed' | 'ended' | 'busy' | 'unavailable'

/**
 * Judges the answer to a refresh: only what nobody but the session server says ends a session, so that neither a
 * proxy's page nor a captive portal's does; and only the session server can be `busy`. `front` is the front token
 * before, `delay` what {@link retryDelay} returned. Pure.
 */
export function judgeRefresh(
  status: number,
  headers: Pick<Headers, 'get'>,
  message: unknown,
  expiredStatus: number,
  front: string | null | undefined,
  delay: number | null,
): Verdict {
  const next = headers.get(wire.frontToken)
  if (next === REMOVE) return 'ended'
  if (status === expiredStatus && (message === 'unauthorised' || message === 'token theft detected')) return 'ended'
  const isSoon = delay !== null && delay <= LONGEST_WAIT
  if (status === 503 && message === 'session service unavailable' && isSoon) return 'busy'
  const isNew = next !== null && next !== front && readFrontToken(next) !== null
  return status >= 200 && status < 300 && isNew ? 'refreshed' : 'unavailable'
}

/**
 * How long a response asks to be left alone, in milliseconds: `Retry-After` in seconds or as a date (RFC 9110, section
 * 10.2.3); null if it does not say. `now` is this device's clock. Pure.
 */
export function retryDelay(headers: Pick<Headers, 'get'>, now: number): number | null {
  const text = headers.get('retry-after') ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  // By the server's clock, where it can be read: this device's may be hours off.
  const delay = /GMT$/.test(text) ? Date.parse(text) - (Date.parse(headers.get('date') ?? '') || now) : NaN
  return Number.isNaN(delay) ? null : Math.max(0, delay)
}

const FIRST_PAUSE = 1000
const LONGEST_PAUSE = 30_000
const LONGEST_WISH = 300_000
const LONGEST_LEAD = 60_000

/**
 * How long to leave the server alone after `failures` refreshes in a row that were not answered, in milliseconds. A
 * server that asks for a longer `delay` gets it and up to a twentieth more, 5 minutes at most. `chance` is from 0 to 1.
 * Pure.
 */
export function pauseAfter(failures: number, delay: number | null, chance: number): number {
  const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1)) * (0.5 + chance / 2)
  return Math.max(pause, Math.min((delay ?? 0) * (1 + chance / 20), LONGEST_WISH))
}

/**
 * When to refresh a token that lives for `timeLeft`, in milliseconds from now: up to a minute before its end, and no
 * two tabs at the same time. Never at once, so that a server that gives dead tokens is not asked in a circle. Pure.
 */
export function delayAhead(timeLeft: number, chance: number): number {
  const lead = Math.min(timeLeft / 5, LONGEST_LEAD) * (0.5 + chance / 2)
  return Math.min(Math.max(1000, timeLeft - lead), 2 ** 31 - 1)
}
