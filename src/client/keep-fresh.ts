import type { Client } from './client.ts'
import { internalsOf } from './internals.ts'

const LONGEST_LEAD = 60_000
/** How long a check on focus stands, in milliseconds. */
const CHECK_INTERVAL = 60_000

/** The part of a client that these functions need. */
export type WatchedClient = Pick<Client<object>, 'onChange' | 'peekSession'>

/**
 * Refreshes the session up to a minute before the access token expires while the page is visible, so that no request
 * waits for a refresh. Returns a function that stops it.
 */
export function keepFresh(client: WatchedClient): () => void {
  const { env, state, refresher } = internalsOf(client)
  const closing = new AbortController()
  let cancel = (): void => undefined
  /** When to refresh, by the steady clock. */
  let due = 0

  function schedule(): void {
    cancel()
    const timeLeft = state.timeLeft()
    if (timeLeft === null || closing.signal.aborted) return
    const delay = delayAhead(timeLeft, env.random())
    due = env.now().steady + delay
    cancel = env.after(delay, refresh)
  }

  function refresh(): void {
    // Another tab may have refreshed meanwhile. While the page is hidden, nothing is due.
    const isDue = env.now().steady >= due && (state.timeLeft() ?? Infinity) <= LONGEST_LEAD
    if (!env.isVisible()) return
    if (isDue) void refresher.refresh(state.current()).then(schedule)
    else schedule()
  }

  const stop = client.onChange(schedule)
  env.onWake(schedule, closing.signal)
  schedule()
  return () => {
    closing.abort()
    cancel()
    stop()
  }
}

/**
 * When to refresh a token that expires in `timeLeft`, in milliseconds from now: up to a minute before expiry, at a
 * random time, so that tabs do not refresh together. At least a second, so that a server that issues expired tokens
 * does not cause a loop of refreshes. `random` is from 0 to 1. Pure.
 */
export function delayAhead(timeLeft: number, random: number): number {
  const lead = Math.min(timeLeft / 5, LONGEST_LEAD) * (0.5 + random / 2)
  return Math.min(Math.max(1000, timeLeft - lead), 2 ** 31 - 1)
}

/**
 * Asks the server whether the session has ended when the page becomes visible again, at most once a minute, so that a
 * tab that was in the background does not show a session that was revoked. Each check is a refresh. Returns a function
 * that stops it.
 */
export function checkOnFocus(client: WatchedClient): () => void {
  const { env, state, refresher } = internalsOf(client)
  const closing = new AbortController()
  let checked = env.now().wall
  env.onWake(() => {
    const { wall } = env.now()
    if (!env.isVisible() || !client.peekSession() || wall - checked < CHECK_INTERVAL) return
    checked = wall
    void refresher.refresh(state.current(), true)
  }, closing.signal)
  return () => closing.abort()
}
