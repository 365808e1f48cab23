import type { EventHandler, H3Event, Middleware } from 'h3'
import { isSessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import type { HttpExchange, CompleteResponse } from '../transport/exchange.ts'
import { checkGetSessionOptions, isAnswer } from '../transport/get-session.ts'
import type { GetSessionOptions } from '../transport/get-session.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import { defineAdapter } from './define-adapter.ts'
import type { AdapterCalls } from './define-adapter.ts'
import { checkGuardArguments, mustBeCalled } from './must-be-called.ts'
import { h3Rules } from './options.ts'
import { addHeaders, openReply, toResponse, WebResponseWriter, WebRequest, withHeaders } from './web-exchange.ts'

/** What the adapter for h3 may be told. */
export interface H3Options {
  /** Who sent a request. Default: the peer of the connection, where the server says so. */
  readonly clientIp?: (event: H3Event) => string | null
  /**
   * Hears of every error of Keyturn that was answered with 500 or 503, but not of a refresh that was told to
   * wait (`REFRESH_BUSY`). Default: `console.error`.
   */
  readonly onError?: (error: unknown, event: H3Event) => void
}

type H3Target = [event: H3Event]

/** A handler that is called with the session. */
export type H3SessionHandler<Payload extends object, Info extends object> = (
  event: H3Event,
  session: Session<Payload, Info>,
) => unknown

/** Sessions for h3 2, and what is built on it: Nitro 3. */
export interface H3Sessions<Payload extends object, Info extends object>
  extends AdapterCalls<H3Target, Middleware, Payload, Info> {
  /**
   * Makes the middleware that serves Keyturn's own routes, refresh, sign-out and key set, and brings the tokens into
   * every response. The other calls need it: `app.use(sessions.sessionRoutes())`, before your routes.
   */
  sessionRoutes(): Middleware
  /** Makes a handler that is called with the session. It answers CORS preflights itself. */
  requireSession(handler: H3SessionHandler<Payload, Info>, options?: GetSessionOptions<Payload>): EventHandler
  /**
   * Makes a middleware that lets only requests with a session pass, whatever their method; the next ones call
   * `sessionOf`. It answers CORS preflights itself.
   */
  requireSession(options?: GetSessionOptions<Payload>): Middleware
  /**
   * Makes the middleware that turns Keyturn's errors of everything after it into answers and leaves others alone. Mount
   * it before what may throw them.
   */
  errorHandler(): Middleware
}

/** Gives sessions the shape of h3. */
export function h3Sessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: H3Options = {},
): Rest & H3Sessions<Payload, Info> {
  checkOptions('h3Sessions', h3Rules, options)
  const { http } = sessions
  const clientIp = options.clientIp ?? ((event: H3Event): string | null => event.req.ip ?? null)
  const replies = new WeakMap<H3Event, WebResponseWriter>()

  // A mounted application sees a shorter path; on Node, only Node's own request keeps the whole.
  const requestOf = (event: H3Event): WebRequest => (
    new WebRequest(event.req, () => clientIp(event), event.runtime?.node?.req.url ?? event.req.url)
  )

  function exchangeOf(event: H3Event): HttpExchange {
    return { request: requestOf(event), reply: openReply(replies, event) }
  }

  /** Runs what is within the outermost middleware of ours, and adds what was written to the response it made. */
  async function within(event: H3Event, run: () => Promise<unknown>): Promise<unknown> {
    if (replies.has(event)) return run()
    const reply = new WebResponseWriter()
    const sink = reply.headers
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

  const { calls, answer } = defineAdapter<H3Target, Middleware, Payload, Info>(http, {
    call: use => async (event, ...rest) => use(exchangeOf(event), ...rest),
    request: requestOf,
    middleware: step => (event, next) => within(event, async () => {
      const reply = await step(exchangeOf(event), event)
      return reply === null ? next() : toAnswer(reply, event)
    }),
    onError: options.onError,
  })

  function requireSession(handler: H3SessionHandler<Payload, Info>, options?: GetSessionOptions<Payload>): EventHandler
  function requireSession(options?: GetSessionOptions<Payload>): Middleware
  function requireSession(
    first?: H3SessionHandler<Payload, Info> | GetSessionOptions<Payload>,
    second?: GetSessionOptions<Payload>,
    ...others: readonly unknown[]
  ): EventHandler | Middleware {
    checkGuardArguments([first, second, ...others])
    if (typeof first !== 'function') return calls.requireSession(first)
    const sessionOptions = second ?? {}
    checkGetSessionOptions(sessionOptions)
    return async (event: H3Event) => {
      const admitted = await http.guard(exchangeOf(event), sessionOptions)
      return isAnswer(admitted) ? toAnswer(admitted, event) : first(event, admitted)
    }
  }

  const adapter: H3Sessions<Payload, Info> = {
    ...calls,
    requireSession,
    errorHandler: mustBeCalled('errorHandler', () => (event, next) => within(event, async () => {
      try {
        return await next()
      } catch (error) {
        if (isSessionError(error)) return toAnswer(answer(error, event), event)
        throw error
      }
    })),
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

function toAnswer(reply: CompleteResponse, event: H3Event): Response {
  return toResponse(reply, new Headers(), event.req.method)
}
