import { ageOf } from './age.ts'
import type { Moment } from './age.ts'
import type { ClientSettings } from './internals.ts'
import type { OwnRequests } from './post.ts'
import { messageOf } from './server-reply.ts'
import { classifyRefresh, decideUnderLock, pauseAfter, retryDelay } from './decide.ts'
import type { ClientEnvironment } from './environment.ts'
import { SessionUnavailableError } from './errors.ts'
import type { SharedState } from './shared-state.ts'
import { withLock } from './lock.ts'
import type { SessionState } from './session-state.ts'

/**
 * The result of a refresh. `refreshed`: there is a new access token, or another session. `ended`: there is no session.
 * An error: the refresh failed, and the session is kept.
 */
export type ClientRefreshResult = 'refreshed' | 'ended' | SessionUnavailableError

/** Refreshes the session; only one refresh runs at a time across all tabs. */
export interface Refresher {
  /**
   * Replaces the access token of `wanted`, unless another tab has. If the server is busy, waits as long as it says.
   * During the pause after a failure, resolves to the last failure, unless `force`.
   */
  refresh(wanted: SessionState | null, force?: boolean): Promise<ClientRefreshResult>
  /** As `refresh`, for a caller that has the lock. Does not wait for a busy server. */
  refreshUnderLock(wanted: SessionState | null): Promise<ClientRefreshResult>
  /** When to try again, in milliseconds from now; null unless the last refresh failed. */
  pause(): number | null
  /** Whether the record is the result of this page's last refresh, so that another refresh would not change it. */
  isSettled(record: SessionState | null): boolean
  /** Ends a wait that is over. Call it when the record has changed or this page may have been asleep. */
  wake(): void
}

/** How many times in a row one refresh waits for a busy server. */
const MOST_WAITS = 2

/** Creates a refresher. It calls `failed` when a refresh has failed. */
export function createRefresher(
  env: ClientEnvironment,
  state: SharedState,
  own: OwnRequests,
  { mode, url, lock, expiredStatus }: ClientSettings,
  failed: () => void,
  closing: AbortSignal,
): Refresher {
  let flight: Promise<ClientRefreshResult> | null = null
  let failures = 0
  let failure: SessionUnavailableError | null = null
  /** When the last refresh failed. `delay` is the pause after it, in milliseconds. */
  let failedAt: Moment = { ...env.now(), age: 0 }
  let delay = 0
  let isBusy = false
  let wake = (): void => undefined
  /** The record after the last refresh. */
  let left: SessionState | null = null

  const pause = (): number | null => failure && left === state.current() ? delay - ageOf(failedAt, env.now()) : null

  async function refresh(wanted: SessionState | null, force = false): Promise<ClientRefreshResult> {
    if (failure && flight === null && !force && (pause() ?? 0) > 0) return failure
    return flight ??= untilAnswered(wanted).finally(() => {
      flight = null
    })
  }

  async function untilAnswered(wanted: SessionState | null): Promise<ClientRefreshResult> {
    for (let waits = 0; ; waits++) {
      const outcome = await withLock(env, lock, () => refreshUnderLock(wanted))
      if (!isBusy || waits === MOST_WAITS) return outcome
      // Wait without the lock, so that all tabs wait at the same time. The first one to refresh does so for all.
      for (let rest = pause(); rest !== null && rest > 0; rest = pause()) {
        if (closing.aborted) return outcome
        await sleep(rest)
      }
    }
  }

  /** Resolves after `time` milliseconds, or when `wake` is called. */
  function sleep(time: number): Promise<void> {
    return new Promise(resolve => {
      const cancel = env.after(Math.ceil(time), resolve)
      wake = () => {
        cancel()
        resolve()
      }
    })
  }

  async function refreshUnderLock(wanted: SessionState | null): Promise<ClientRefreshResult> {
    isBusy = false
    await state.reload()
    const decision = decideUnderLock(wanted, state.current(), state.isExpired(), mode)
    const sent = state.current()
    const outcome = decision === 'post' ? await post(sent) : decision
    failure = outcome instanceof Error ? outcome : null
    // A failure applies to the record that was sent, not to one that another tab brought while this one was asleep.
    left = failure ? sent : state.current()
    if (failure) failed()
    else failures = 0
    return outcome
  }

  async function post(sent: SessionState | null): Promise<ClientRefreshResult> {
    let status: number | null = null
    try {
      return await own.post(url, sent?.generation, sent?.antiCsrf, sent?.refreshToken, false, async response => {
        const { headers } = response
        status = response.status
        const now = env.now().wall
        const retryAfter = retryDelay(headers, now)
        const reply = classifyRefresh(
          status,
          headers,
          await messageOf(response),
          expiredStatus,
          sent?.front,
          retryAfter,
        )
        isBusy = reply === 'busy'
        if (reply === 'busy' || reply === 'unavailable') return fail(sent, retryAfter, status)
        await state.dispatch({ type: 'response', sent, headers, refresh: reply, now })
        return settle()
      })
    } catch (cause) {
      return fail(sent, null, status, cause)
    }
  }

  /** The result by the record, which may be of another generation than the refresh. */
  const settle = (): ClientRefreshResult => state.current()?.front ? 'refreshed' : 'ended'

  function fail(
    sent: SessionState | null,
    retryAfter: number | null,
    status: number | null,
    cause?: unknown,
  ): ClientRefreshResult {
    if (state.current()?.generation !== sent?.generation) {
      isBusy = false
      return settle()
    }
    failedAt = { ...env.now(), age: 0 }
    delay = pauseAfter(++failures, retryAfter, env.random())
    return new SessionUnavailableError(status, cause)
  }

  return {
    refresh,
    refreshUnderLock,
    pause,
    isSettled: record => record === left,
    wake: () => wake(),
  }
}
