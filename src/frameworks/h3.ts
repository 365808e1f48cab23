import type { EventHandler, H3Event, Middleware } from 'h3'
import { GeneralError, isSessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import type { HttpExchange, RouteReply } from '../transport/exchange.ts'
import { checkSessionOptions, isAnswer } from '../transport/get-session.ts'
import type { SessionOptions, SessionReading } from '../transport/get-session.ts'
import { typedByOptions } from '../transport/http-sessions.ts'
import type { CreateNewSession, GetSession, HttpSessions, RefreshSession } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import { FoundSessions } from './found-sessions.ts'
import { h3Rules } from './options.ts'
import { addHeaders, toResponse, WebReply, WebRequest, withHeaders } from './web-exchange.ts'

/** What the adapter for h3 may be told. */
export interface H3Options {
  /** Who sent a request. Default: the peer of the connection, where the server says so. */
  readonly clientIp?: (event: H3Event) => string | null
  /** Hears of every error of Keyturn that was answered with 500 or 503. Default: `console.error`. */
  readonly onError?: (error: unknown, event: H3Event) => void
}

/** Sessions for h3 2, and what is built on it: Nitro 3. */
export interface H3Sessions<Payload extends object, Info extends object> {
  readonly createNewSession: CreateNewSession<H3Target, Payload, Info>
  readonly getSession: GetSession<H3Target, Payload, Info>
  readonly refreshSession: RefreshSession<H3Target, Payload, Info>
  /** Verifies where no response can be written. Changes nothing. */
  readSession(event: H3Event): Promise<SessionReading<Payload>>
  /**
   * Makes the middleware that serves Keyturn's own routes, refresh, sign-out and key set, turns Keyturn's errors of
   * everything after it into answers, and brings the tokens into every response. The other calls need it:
   * `app.use(sessions.middleware())`, before your routes.
   */
  middleware(): Middleware
  /** Makes a handler that is called with the session; without one the error is answered. It answers CORS preflights. */
  requireSession(
    handler: (event: H3Event, session: Session<Payload, Info>) => unknown,
    options?: SessionOptions<Payload>,
  ): EventHandler
  /**
   * Makes a middleware that lets only requests with a session pass, whatever their method; the next ones call
   * `sessionOf`. It answers CORS preflights itself.
   */
  requireSession(options?: SessionOptions<Payload>): Middleware
  /** The session that `requireSession` found. @throws GeneralError (`MISUSE`) if it was not asked. */
  sessionOf(event: H3Event): Session<Payload, Info>
  /** Makes the middleware that writes CORS headers for the trusted origins and answers preflights. Use it first. */
  cors(): Middleware
}

type H3Target = [event: H3Event]

/** Gives sessions the shape of h3. */
export function h3Sessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: H3Options = {},
): Rest & H3Sessions<Payload, Info> {
  checkOptions('h3Sessions', h3Rules, options)
  const { http } = sessions
  const clientIp = options.clientIp ?? ((event: H3Event): string | null => event.req.ip ?? null)
  const report = options.onError ?? ((error: unknown): void => console.error('keyturn: a request failed:', error))
  const found = new FoundSessions<H3Event, Payload, Info>()
  const replies = new WeakMap<H3Event, WebReply>()

  // A mounted application sees a shorter path; on Node, only Node's own request keeps the whole.
  const requestOf = (event: H3Event): WebRequest => (
    new WebRequest(event.req, () => clientIp(event), event.runtime?.node?.req.url ?? event.req.url)
  )

  function exchangeOf(event: H3Event): HttpExchange {
    const reply = replies.get(event)
    if (reply === undefined) throw new GeneralError('MISUSE', 'app.use(sessions.middleware()) must come first')
    return { request: requestOf(event), reply }
  }

  function answerError(error: unknown, event: H3Event): Response {
    if (!isSessionError(error)) throw error
    const reply = http.errorReply(error, requestOf(event))
    if (reply.status >= 500) report(error, event)
    return toAnswer(reply, event)
  }

  /** Runs what is within the outermost middleware of ours, and adds what was written to the response it made. */
  async function within(event: H3Event, run: () => Promise<unknown>): Promise<unknown> {
    if (replies.has(event)) return run()
    const sink = new Headers()
    const reply = new WebReply(sink)
    replies.set(event, reply)
    let result: unknown
    try {
      result = await run()
    } catch (error) {
      // h3 forgets the headers of a response that becomes an error, but for these.
      addHeaders(event.res.errHeaders, sink)
      throw error
    } finally {
      reply.closed = true
    }
    if (sink.keys().next().done) return result
    if (result instanceof Response) return withHeaders(takePrepared(result, event), sink)
    addHeaders(event.res.headers, sink)
    return result
  }

  async function admit(
    event: H3Event,
    sessionOptions: SessionOptions<Payload>,
    handle: (session: Session<Payload, Info>) => unknown,
  ): Promise<unknown> {
    const admitted = await http.guard(exchangeOf(event), sessionOptions)
    return isAnswer(admitted) ? toAnswer(admitted, event) : handle(admitted)
  }

  function requireSession(
    handler: (event: H3Event, session: Session<Payload, Info>) => unknown,
    sessionOptions?: SessionOptions<Payload>,
  ): EventHandler
  function requireSession(sessionOptions?: SessionOptions<Payload>): Middleware
  function requireSession(
    first: ((event: H3Event, session: Session<Payload, Info>) => unknown) | SessionOptions<Payload> = {},
    second: SessionOptions<Payload> = {},
  ): EventHandler | Middleware {
    checkSessionOptions(typeof first === 'function' ? second : first)
    if (typeof first === 'function') return (event: H3Event) => admit(event, second, session => first(event, session))
    return (event: H3Event, next: () => unknown) => admit(event, first, session => {
      found.set(event, session)
      return next()
    })
  }

  const adapter: H3Sessions<Payload, Info> = {
    createNewSession: async (event, ...rest) => http.createNewSession(exchangeOf(event), ...rest),
    getSession: typedByOptions(async (event, argument) => http.getSession(exchangeOf(event), argument)),
    refreshSession: async event => http.refreshSession(exchangeOf(event)),
    readSession: event => http.readSession(requestOf(event)),
    middleware: () => (event, next) => within(event, async () => {
      try {
        const own = await http.handleSessionRoute(exchangeOf(event))
        return own === null ? await next() : toAnswer(own, event)
      } catch (error) {
        return answerError(error, event)
      }
    }),
    requireSession,
    sessionOf: event => found.get(event),
    cors: () => (event, next) => within(event, async () => {
      const preflight = http.applyCors(exchangeOf(event))
      return preflight === null ? next() : toAnswer(preflight, event)
    }),
  }
  return { ...sessions, ...adapter }
}

/**
 * Gives a response the headers that handlers prepared beside it. h3 would do so later, over ours: what they say of
 * caching would overrule what tokens need.
 */
function takePrepared(response: Response, { res }: H3Event): Response {
  const prepared = response.status >= 400 ? res.errHeaders : res.headers
  const names = [...prepared.keys()]
  if (names.length === 0) return response
  const merged = withHeaders(response, prepared)
  for (const name of names) prepared.delete(name)
  return merged
}

function toAnswer(reply: RouteReply, event: H3Event): Response {
  return toResponse(reply, new Headers(), event.req.method)
}
