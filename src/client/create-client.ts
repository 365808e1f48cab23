import * as wire from '../base/wire.ts'
import { originOf, parseAddress } from './address.ts'
import type { Client, ClientOptions, SessionListener } from './client.ts'
import { delayAhead } from './decide.ts'
import { currentEnvironment } from './environment.ts'
import type { ClientEnvironment } from './environment.ts'
import { SessionUnavailableError } from './errors.ts'
import { createExchanges } from './exchange.ts'
import { createFetch } from './fetch-with-session.ts'
import { createSharedState } from './shared-state.ts'
import { checkClientOptions } from './options.ts'
import { createRefresher } from './refresher.ts'
import { toSession } from './session.ts'
import type { ClientSession, PayloadOf } from './session.ts'

/**
 * Creates the client of one server. It sends no request before the first call.
 * @throws Error if `baseUrl` is missing or relative and there is no page whose origin could be used.
 * @example
 * import type { sessions } from '../server/sessions.ts'
 * const client = createClient<typeof sessions>({ baseUrl: 'https://api.example.com' })
 */
export function createClient<Sessions = unknown>(options: ClientOptions = {}): Client<PayloadOf<Sessions>> {
  return createClientIn<PayloadOf<Sessions>>(currentEnvironment(options.fetch), options)
}

/** As {@link createClient}, in a given environment. For tests. */
export function createClientIn<Payload extends object>(env: ClientEnvironment, options: ClientOptions): Client<Payload> {
  checkClientOptions(options)
  const { baseUrl, basePath = '/auth', mode = 'cookie', sessionExpiredStatusCode: expiredStatus = 401 } = options
  // On a server that renders pages, one client serves many users, so it must not keep any session.
  const isInert = !env.pageUrl && !options.storage
  const server = parseAddress(baseUrl ?? '/', env.pageUrl)
  if (!server && !isInert) throw new Error(`without a page, baseUrl must be an absolute URL; received ${baseUrl}`)
  const root = server?.href.replace(/\/$/, '') ?? ''
  const api = root + basePath.replace(/\/$/, '')
  const name = `keyturn ${api}`
  const settings = {
    mode,
    name,
    url: `${api}/session/refresh`,
    base: server ? `${root}/` : undefined,
    origin: isInert || !server ? '' : originOf(server),
    expiredStatus,
  }
  const closing = new AbortController()
  const listeners = new Set<SessionListener<Payload>>()
  let cancelTimer = (): void => undefined
  let session: ClientSession<Payload> | null | undefined = mode === 'cookie' ? undefined : null

  const state = createSharedState(env, options.storage ?? (isInert ? null : env.storage), name, mode, closing.signal)
  const refresher = createRefresher(env, state, settings, schedule, closing.signal)
  const exchanges = createExchanges(state, refresher, settings)
  const fetch = createFetch(env.fetch, exchanges)
  const fetchUnderLock = createFetch(env.fetch, createExchanges(
    state, { ...refresher, refresh: refresher.refreshUnderLock }, settings,
  ))

  function schedule(): void {
    cancelTimer()
    const timeLeft = options.refreshAhead ? state.timeLeft() : null
    const delay = refresher.pause() ?? (timeLeft && delayAhead(timeLeft, env.random()))
    if (delay !== null && !closing.signal.aborted) cancelTimer = env.after(delay, refreshIfVisible)
  }

  function refreshIfVisible(): void {
    if (env.isVisible()) void refresher.refresh(state.current(), true)
  }

  async function refresh(): Promise<boolean> {
    await state.ready
    if (isInert) return false
    const outcome = await refresher.refresh(state.current(), true)
    if (outcome instanceof Error) throw outcome
    return outcome === 'refreshed'
  }

  state.onChange(record => {
    const previous = session ?? null
    const next = session = toSession<Payload>(record)
    // A microtask for each, so that a listener that throws does not stop the others.
    for (const listener of listeners) queueMicrotask(() => listener(next, previous))
    refresher.wake()
    schedule()
  })
  env.onWake(() => {
    void state.reload()
    refresher.wake()
    if (refresher.pause() === null) schedule()
    else refreshIfVisible()
  }, closing.signal)

  return {
    fetch,
    exchanges,
    async getSession() {
      await state.ready
      if (session === undefined) await refresh()
      else if (state.isExpired()) await refresher.refresh(state.current())
      return session ?? null
    },
    peekSession: () => session,
    refresh,
    reauthenticate: (input, init) => refresher.withoutRefresh(() => fetchUnderLock(input, init)),
    async signOut() {
      // An expired access token suffices, so this waits for no refresh; and the page may be closing.
      const init: RequestInit = {
        method: 'POST', headers: { [wire.customHeader]: 'session' }, redirect: 'error', keepalive: true,
      }
      const failure = await fetch(`${api}/signout`, init).then(
        ({ status }) => new SessionUnavailableError(status),
        (cause: unknown) => new SessionUnavailableError(null, cause),
      )
      // A 200 may come from a proxy. The session server confirms a sign-out by removing the front token.
      if (session) throw failure
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close() {
      closing.abort()
      refresher.wake()
      listeners.clear()
      cancelTimer()
    },
  }
}
