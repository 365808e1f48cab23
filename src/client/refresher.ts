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
 * How a refresh ended: there is another access token than before, fetched by this tab or by another; there is no
 * session; or nobody could say, and the session is kept.
 */
export type ClientRefreshResult = 'refreshed' | 'ended' | SessionUnavailableError

/** What refreshing needs to know. */
export interface RefreshSettings {
  readonly mode: TransferMode
  readonly url: string
  readonly name: string
  readonly expiredStatus: number
}

/** Refreshes, one at a time over all tabs. */
export interface Refresher {
  /**
   * Replaces the access token of `wanted`, unless another tab has. If the server is busy, waits as long as it says.
   * While the server is left alone after failures, the last failure is the outcome, unless `force`.
   */
  refresh(wanted: SessionState | null, force?: boolean): Promise<ClientRefreshResult>
  /** When to try again, in milliseconds from now; null unless the last refresh was not answered. */
  pause(): number | null
  /** Whether the record is what this page's last refresh left: asking again would bring the same. */
  isSettled(record: SessionState | null): boolean
  /** Ends a wait that is over: call it when the record has changed or this page may have been asleep. */
  wake(): void
}

/** How long a refresh may take, in milliseconds. */
const TIMEOUT = 10_000
/** How often in a row one refresh waits for a busy server. */
const MOST_WAITS = 2
/** How long the news of a tab may lag behind its lock, between the processes of a browser, in milliseconds. */
const LAG = 50

/** Makes a refresher that calls `failed` when a refresh was not answered. */
export function createRefresher(
  env: ClientEnvironment,
  state: SharedState,
  { mode, url, name, expiredStatus }: RefreshSettings,
  failed: () => void,
  closing: AbortSignal,
): Refresher {
  let flight: Promise<ClientRefreshResult> | null = null
  let failures = 0
  let failure: SessionUnavailableError | null = null
  /** When the last refresh failed, and how long to leave the server alone from then on. */
  let failedAt: Seen = { ...env.now(), age: 0 }
  let delay = 0
  let isBusy = false
  let wake = (): void => undefined
  /** What the last refresh left. */
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
      const outcome = await withLock(env, `${name} refresh`, waited => inTurn(wanted, waited))
      if (!isBusy || waits === MOST_WAITS) return outcome
      // Without the lock: all tabs wait at the same time, and the first one to refresh does so for all.
      for (let rest = pause(); rest !== null && rest > 0; rest = pause()) {
        if (closing.aborted) return outcome
        await sleep(rest)
      }
    }
  }

  /** Resolves after a while, or when woken. */
  function sleep(time: number): Promise<void> {
    return new Promise(resolve => {
      const callOff = env.after(Math.ceil(time), resolve)
      wake = () => {
        callOff()
        resolve()
      }
    })
  }

  async function inTurn(wanted: SessionState | null, waited: boolean): Promise<ClientRefreshResult> {
    isBusy = false
    await state.reload()
    const decision = decideUnderLock(wanted, state.current(), state.isExpired(), mode)
    if (waited && decision === 'post') {
      await new Promise<void>(resolve => env.after(LAG, resolve))
      return inTurn(wanted, false)
    }
    const sent = state.current()
    const outcome = decision === 'post' ? await post() : decision
    failure = outcome instanceof Error ? outcome : null
    // A failure says nothing of what another tab has brought while this one was asleep.
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
        // A token goes to its server or nowhere; the answer's cookies are kept though the page may close.
        redirect: 'error',
        keepalive: true,
        // Older browsers and React Native have limits of their own.
        signal: AbortSignal.timeout?.(TIMEOUT) ?? null,
      })
      const { status, headers } = response
      const wish = retryDelay(headers, env.now().wall)
      const outcome = judgeRefresh(status, headers, await messageOf(response), expiredStatus, sent?.front, wish)
      if (outcome === 'refreshed' || outcome === 'ended') {
        await state.take(outcome === 'ended' ? new Headers({ [wire.frontToken]: REMOVE }) : headers, sent)
        return outcome
      }
      isBusy = outcome === 'busy'
      return fail(wish, status)
    } catch (cause) {
      return fail(null, null, cause)
    }
  }

  function fail(wish: number | null, status: number | null, cause?: unknown): SessionUnavailableError {
    failedAt = { ...env.now(), age: 0 }
    delay = pauseAfter(++failures, wish, env.random())
    return new SessionUnavailableError(status, cause)
  }

  return {
    refresh,
    pause,
    isSettled: record => record === left,
    wake: () => wake(),
  }
}
