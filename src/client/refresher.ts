import * as wire from '../base/wire.ts'
import type { TransferMode } from '../base/wire.ts'
import { ageOf } from './age.ts'
import type { Seen } from './age.ts'
import { messageOf, sessionHeaders } from './server-reply.ts'
import { decideUnderLock, judgeRefresh, pauseAfter, retryDelay } from './decide.ts'
import type { ClientEnvironment } from './environment.ts'
import { SessionUnavailableError } from './errors.ts'
import { REMOVE } from './front-token.ts'
import type { SharedState } from './shared-state.ts'
import { withLock } from './lock.ts'
import type { SessionState } from './session-state.ts'

/**
 * The result of a refresh. `refreshed`: this tab or another fetched a new access token. `ended`: there is no session.
 * An error: the refresh failed, and the session is kept.
 */
export type ClientRefreshResult = 'refreshed' | 'ended' | SessionUnavailableError

/** Settings of {@link createRefresher}. */
export interface RefreshSettings {
  readonly mode: TransferMode
  readonly url: string
  readonly name: string
  readonly expiredStatus: number
}

/** Refreshes the session; only one refresh runs at a time across all tabs. */
export interface Refresher {
  /**
   * Replaces the access token of `wanted`, unless another tab has. If the server is busy, waits as long as it says.
   * During the pause after a failure, resolves to the last failure, unless `force`.
   */
  refresh(wanted: SessionState | null, force?: boolean): Promise<ClientRefreshResult>
  /**
   * Runs a task while no tab refreshes. The task may refresh with `refreshUnderLock`, and must not call `refresh`.
   */
  withoutRefresh<Result>(task: () => Promise<Result>): Promise<Result>
  /** As `refresh`, in a task of `withoutRefresh`. Does not wait for a busy server. */
  refreshUnderLock(wanted: SessionState | null): Promise<ClientRefreshResult>
  /** When to try again, in milliseconds from now; null unless the last refresh failed. */
  pause(): number | null
  /** Whether the record is the result of this page's last refresh, so that another refresh would not change it. */
  isSettled(record: SessionState | null): boolean
  /** Ends a wait that is over. Call it when the record has changed or this page may have been asleep. */
  wake(): void
}

/** How long a refresh may take, in milliseconds. */
const TIMEOUT = 10_000
/** How many times in a row one refresh waits for a busy server. */
const MOST_WAITS = 2
/** How long a tab's message may arrive after its lock was released, in milliseconds: browsers run several processes. */
const LAG = 50

/** Creates a refresher. It calls `failed` when a refresh has failed. */
export function createRefresher(
  env: ClientEnvironment,
  state: SharedState,
  { mode, url, name, expiredStatus }: RefreshSettings,
  failed: () => void,
  closing: AbortSignal,
): Refresher {
  const lock = `${name} refresh`
  const lag = (): Promise<void> => new Promise(resolve => env.after(LAG, resolve))
  let flight: Promise<ClientRefreshResult> | null = null
  /** The last refresh in a task of `withoutRefresh`. */
  let held: Promise<ClientRefreshResult> | null = null
  let failures = 0
  let failure: SessionUnavailableError | null = null
  /** When the last refresh failed. `delay` is the pause after it, in milliseconds. */
  let failedAt: Seen = { ...env.now(), age: 0 }
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
      const outcome = await withLock(env, lock, waited => refreshUnderLock(wanted, waited))
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

  async function withoutRefresh<Result>(task: () => Promise<Result>): Promise<Result> {
    const [settled] = await withLock(env, lock, async waited => {
      if (waited) await lag()
      await state.reload()
      const settling = await Promise.allSettled([task()])
      // If the task was aborted, its refresh may still be running.
      await held
      return settling
    })
    if (settled.status === 'rejected') throw settled.reason
    return settled.value
  }

  async function refreshUnderLock(wanted: SessionState | null, waited = false): Promise<ClientRefreshResult> {
    isBusy = false
    await state.reload()
    const decision = decideUnderLock(wanted, state.current(), state.isExpired(), mode)
    if (waited && decision === 'post') {
      await lag()
      return refreshUnderLock(wanted, false)
    }
    const sent = state.current()
    const outcome = decision === 'post' ? await post() : decision
    failure = outcome instanceof Error ? outcome : null
    // A failure applies to the record that was sent, not to one that another tab brought while this one was asleep.
    left = failure ? sent : state.current()
    if (failure) failed()
    else failures = 0
    return outcome
  }

  async function post(): Promise<ClientRefreshResult> {
    const sent = state.current()
    try {
      const response = await env.fetch(url, {
        method: 'POST',
        headers: [[wire.customHeader, 'session'], ...sessionHeaders(mode, sent?.antiCsrf, sent?.refreshToken)],
        credentials: mode === 'cookie' ? 'include' : 'omit',
        // Never send a token to the target of a redirect. `keepalive` keeps the response's cookies if the page closes.
        redirect: 'error',
        keepalive: true,
        // Older browsers and React Native lack `AbortSignal.timeout` and apply their own time limits.
        signal: AbortSignal.timeout?.(TIMEOUT) ?? null,
      })
      const { status, headers } = response
      const retryAfter = retryDelay(headers, env.now().wall)
      const outcome = judgeRefresh(status, headers, await messageOf(response), expiredStatus, sent?.front, retryAfter)
      if (outcome === 'refreshed' || outcome === 'ended') {
        await state.take(outcome === 'ended' ? new Headers({ [wire.frontToken]: REMOVE }) : headers, sent)
        return outcome
      }
      isBusy = outcome === 'busy'
      return fail(retryAfter, status)
    } catch (cause) {
      return fail(null, null, cause)
    }
  }

  function fail(retryAfter: number | null, status: number | null, cause?: unknown): SessionUnavailableError {
    failedAt = { ...env.now(), age: 0 }
    delay = pauseAfter(++failures, retryAfter, env.random())
    return new SessionUnavailableError(status, cause)
  }

  return {
    refresh,
    withoutRefresh,
    refreshUnderLock: wanted => held = refreshUnderLock(wanted),
    pause,
    isSettled: record => record === left,
    wake: () => wake(),
  }
}
