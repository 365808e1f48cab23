import type { EventHandler, H3Event, Middleware } from 'h3'
import { GeneralError, isSessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import { unsupported } from '../base/supported-version.ts'
import { AdapterExchange } from '../transport/exchange.ts'
import type { HttpExchange, StreamedResponse } from '../transport/exchange.ts'
import { checkGuardOptions } from '../transport/get-session-options.ts'
import { isCompleteResponse } from '../transport/get-session.ts'
import type { RequireSessionOptions } from '../transport/get-session-options.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import { defineAdapter } from './define-adapter.ts'
import type { AdapterCalls } from './define-adapter.ts'
import { checkGuardArguments, mustBeCalled } from './must-be-called.ts'
import { onResponseEnd } from './node-exchange.ts'
import { h3Rules } from './options.ts'
import {
  addHeaders, endNow, hasListeners, observed, openReply, toResponse, WebResponseWriter, WebRequest, withHeaders,
} from './web-exchange.ts'

/** Options of `h3Sessions`. */
export interface H3Options {
  /** Returns the IP address of the client, or null. Default: the peer of the connection, if the server provides it. */
  readonly clientIp?: (event: H3Event) => string | null
  /**
   * Called with every error of Keyturn that is answered with 500 or 503, except a refresh that must wait
   * (`REFRESH_BUSY`). Default: `console.error`.
   */
  readonly onError?: (error: unknown, event: H3Event) => void
}

type H3Target = [event: H3Event]

/** A handler that is called with the session. */
export type H3SessionHandler<Payload extends object, Info extends object> = (
  event: H3Event,
  session: Session<Payload, Info>,
) => unknown

/** Sessions for h3 2, and for Nitro 3, which is built on it. */
export interface H3Sessions<Payload extends object, Info extends object>
  extends AdapterCalls<H3Target, Middleware, Payload, Info> {
  /**
   * Returns the middleware that serves Keyturn's own routes (refresh, sign-out and key set) and writes the tokens into
   * every response. The other calls need it: `app.use(sessions.sessionRoutes())`, before your routes.
   */
  sessionRoutes(): Middleware
  /** Returns a handler that is called with the session. It answers CORS preflights that reach it. */
  requireSession(handler: H3SessionHandler<Payload, Info>, options?: RequireSessionOptions<Payload>): EventHandler
  /**
   * Returns a middleware that lets only requests with a session pass, whatever their method; later handlers call
   * `sessionOf`. It answers CORS preflights that reach it.
   */
  requireSession(options?: RequireSessionOptions<Payload>): Middleware
  /**
   * Returns the middleware that answers the errors of Keyturn that later middleware and handlers throw. It rethrows
   * other errors. Mount it before them.
   */
  errorHandler(): Middleware
}

/**
 * Adds the calls for h3 to `sessions`, which `createSessions` returns.
 * @throws GeneralError (`MISUSE`) that names an invalid option.
 * @example
 * const sessions = h3Sessions(createSessions({ origin: 'https://app.example.com' }))
 */
export function h3Sessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: H3Options = {},
): Rest & H3Sessions<Payload, Info> {
  checkOptions('h3Sessions', h3Rules, options)
  const { http } = sessions
  const clientIp = options.clientIp ?? ((event: H3Event): string | null => event.req.ip ?? null)
  const replies = new WeakMap<H3Event, WebResponseWriter>()

  // A mounted application sees the path without its prefix. On Node, Node's own request keeps the whole path.
  const requestOf = (event: H3Event): WebRequest => (
    new WebRequest(event.req, () => clientIp(event), event.runtime?.node?.req.url ?? event.req.url, event)
  )

  function exchangeOf(event: H3Event): HttpExchange {
    return new AdapterExchange(requestOf(event), openReply(replies, event))
  }

  /** Runs what the outermost middleware of Keyturn contains, and adds the headers written meanwhile to the response. */
  async function within(event: H3Event, run: () => Promise<unknown>): Promise<unknown> {
    if (replies.has(event)) return run()
    // The event of h3 1 has the request of Node there, whose headers are a plain object.
    if (!(event.req.headers instanceof Headers)) {
      throw new GeneralError('MISUSE', unsupported('h3 1', 'h3 2 or newer'))
    }
    const reply = new H3Writer(event)
    const sink = reply.headers
    replies.set(event, reply)
    let result: unknown
    try {
      result = await run()
    } catch (error) {
      endNow(sink)
      // h3 drops all headers of a response that becomes an error, except these.
      addHeaders(event.res.errHeaders, sink)
      throw error
    } finally {
      reply.close()
    }
    if (sink.keys().next().done && !hasListeners(sink)) return result
    if (result instanceof Response) return withHeaders(takePrepared(result, event), sink)
    addHeaders(event.res.headers, sink)
    // An error that is returned, or h3's mark of a request without a route, becomes a response with these headers only.
    if (result instanceof Error || typeof result === 'symbol') addHeaders(event.res.errHeaders, sink)
    // Of all that a handler may return, only a response or a stream lasts.
    if (result instanceof ReadableStream && hasListeners(sink)) return observed(result, () => endNow(sink))
    endNow(sink)
    return result
  }

  const { calls, answer } = defineAdapter<H3Target, Middleware, Payload, Info>(http, {
    call: use => async (event, ...rest) => use(exchangeOf(event), ...rest),
    request: requestOf,
    body: ({ req }) => req,
    middleware: step => (event, next) => within(event, async () => {
      const reply = await step(exchangeOf(event), event)
      return reply === null ? next() : toAnswer(reply, event)
    }),
    onError: options.onError,
  })

  function requireSession(
    handler: H3SessionHandler<Payload, Info>,
    options?: RequireSessionOptions<Payload>,
  ): EventHandler
  function requireSession(options?: RequireSessionOptions<Payload>): Middleware
  function requireSession(
    first?: H3SessionHandler<Payload, Info> | RequireSessionOptions<Payload>,
    second?: RequireSessionOptions<Payload>,
    ...others: readonly unknown[]
  ): EventHandler | Middleware {
    checkGuardArguments([first, second, ...others])
    if (typeof first !== 'function') return calls.requireSession(first)
    const sessionOptions = second ?? {}
    checkGuardOptions(sessionOptions, http.policy)
    return async (event: H3Event) => {
      const admitted = await http.guard(exchangeOf(event), sessionOptions)
      return isCompleteResponse(admitted) ? toAnswer(admitted, event) : first(event, admitted)
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

/** On Node, the end of a response is that of Node's own; elsewhere, that of the body. */
class H3Writer extends WebResponseWriter {
  readonly #event: H3Event

  constructor(event: H3Event) {
    super(new Headers(), event.req)
    this.#event = event
  }

  override onEnd(listener: () => void): void {
    const response = this.#event.runtime?.node?.res
    if (response === undefined) super.onEnd(listener)
    else onResponseEnd(response, listener)
  }
}

/**
 * Adds to a response the headers that handlers set on the event. h3 would add them later and overwrite Keyturn's: then
 * the handler's `Cache-Control` would replace the one that keeps tokens out of caches.
 */
function takePrepared(response: Response, { res }: H3Event): Response {
  const prepared = response.status >= 400 ? res.errHeaders : res.headers
  const names = [...prepared.keys()]
  if (names.length === 0) return response
  const merged = withHeaders(response, prepared)
  for (const name of names) prepared.delete(name)
  return merged
}

function toAnswer(reply: StreamedResponse, event: H3Event): Response {
  return toResponse(reply, new Headers(), event.req.method)
}
