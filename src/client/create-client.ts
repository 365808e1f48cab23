import { originOf } from './address.ts'
import type { Client, ClientOptions, SessionListener } from './client.ts'
import { currentEnvironment } from './environment.ts'
import type { ClientEnvironment } from './environment.ts'
import { SessionUnavailableError } from './errors.ts'
import { createExchanges } from './exchange.ts'
import { createFetch } from './fetch-with-session.ts'
import { createSharedState } from './shared-state.ts'
import { checkClientOptions } from './options.ts'
import { internals } from './internals.ts'
import { createOwnRequests } from './post.ts'
import { createRefresher } from './refresher.ts'
import { toSession } from './session.ts'
import type { ClientSession, PayloadOf, SessionView } from './session.ts'
import { createSignOut } from './sign-out.ts'
import { orAborted } from './wait.ts'

/** How long to wait before a sign-out is sent again, in milliseconds. */
const SIGN_OUT_PAUSE = 30_000

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
export function createClientIn<Payload extends object>(
  env: ClientEnvironment,
  options: ClientOptions,
): Client<Payload> {
  checkClientOptions(options)
  const {
    baseUrl = '/', basePath = '/auth', mode = 'cookie', sessionExpiredStatusCode: expiredStatus = 401, refreshOn,
  } = options
  // On a server that renders pages, one client serves many users, so it must not keep any session.
  const isInert = !env.pageUrl && !options.storage
  const server = env.parseAddress(baseUrl, env.pageUrl)
  if (!server && !isInert) throw new Error(`baseUrl must be an absolute URL; received ${baseUrl}`)
  const root = server?.href.replace(/\/$/, '') ?? ''
  const api = root + basePath.replace(/\/$/, '')
  // Secure stores of native shells take no other characters, and cookies neither.
  const name = `keyturn.${api.replace(/[^\w.-]/g, '_')}`
  const settings = {
    mode,
    lock: `${name} refresh`,
    url: `${api}/session/refresh`,
    signOutUrl: `${api}/signout`,
    base: server ? `${root}/` : undefined,
    origin: isInert || !server ? '' : originOf(server),
    expiredStatus,
    refreshOn,
  }
  const closing = new AbortController()
  const listeners = new Set<SessionListener<Payload>>()
  let cancelTimer = (): void => undefined
  let view: SessionView<Payload> = { status: 'loading', session: null, reason: null }

  const state = createSharedState(env, options.storage ?? (isInert ? null : env.storage), name, mode, closing.signal)
  const own = createOwnRequests(env, mode)
  const refresher = createRefresher(env, state, own, settings, schedule, closing.signal)
  const sendSignOut = createSignOut(env, state, own, settings.signOutUrl)
  const exchangesWith = (refresh: typeof refresher.refresh): ReturnType<typeof createExchanges> =>
    createExchanges(env, state, { ...refresher, refresh }, sendSignOut, settings)
  const exchanges = exchangesWith(refresher.refresh)

  /** Compares what components show with what is known now, and tells the listeners of a difference. */
  function update(): void {
    const record = state.current()
    const previous = view
    const session = toSession<Payload>(record)
    const reason = record?.ended ?? null
    const status = record ? 'signed-out' : isInert ? 'loading' : state.phase()
    const next: SessionView<Payload> = session
      ? { status: 'signed-in', session, reason }
      : { status, session, reason }
    if (JSON.stringify(next) === JSON.stringify(previous)) return
    view = next
    // A microtask for each, so that a listener that throws does not stop the others. React Native may lack
    // `queueMicrotask`.
    for (const listener of listeners) void Promise.resolve().then(() => listener(next, previous))
  }

  function schedule(): void {
    update()
    cancelTimer()
    const delay = state.current()?.signOut ? SIGN_OUT_PAUSE : refresher.pause()
    if (delay !== null && !closing.signal.aborted) cancelTimer = env.after(delay, catchUp)
  }

  /** Does what is due, if the page is visible. */
  function catchUp(): void {
    if (!env.isVisible()) return
    if (state.current()?.signOut) void sendSignOut().then(schedule)
    else void refresher.refresh(state.current(), true)
  }

  async function getSession(): Promise<ClientSession<Payload> | null> {
    await state.ready
    if (state.isExpired()) await refresher.refresh(state.current())
    if (view.status === 'unavailable') throw new SessionUnavailableError(null)
    return view.session
  }

  async function refresh(): Promise<boolean> {
    await state.ready
    if (isInert) return false
    if (!await sendSignOut()) throw new SessionUnavailableError(null)
    const outcome = await refresher.refresh(state.current(), true)
    if (outcome instanceof Error) throw outcome
    return outcome === 'refreshed'
  }

  state.onChange(record => {
    own.supersede(record)
    refresher.wake()
    schedule()
  })
  schedule()
  void state.ready.then(() => {
    schedule()
    if (state.current()?.signOut) catchUp()
  })
  env.onWake(() => {
    void state.reload()
    refresher.wake()
    if (state.current()?.signOut || refresher.pause() !== null) catchUp()
    else schedule()
  }, closing.signal)

  const client: Client<Payload> = {
    fetch: createFetch(env, exchanges),
    exchanges,
    getSession: init => orAborted(init?.signal, getSession()),
    peekSession: () => /sign/.test(view.status) ? view.session : undefined,
    view: () => view,
    expiry() {
      const left = state.timeLeft()
      return left && env.now().wall + left
    },
    refresh: init => orAborted(init?.signal, refresh()),
    async signOut() {
      await state.ready
      if (isInert) return true
      void state.dispatch({ type: 'sign-out', now: env.now().wall })
      const isConfirmed = await sendSignOut()
      schedule()
      return isConfirmed
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
  internals.set(client, { env, state, refresher, settings, exchangesWith })
  return client
}
