import { isSessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import type { HttpExchange, RouteReply } from '../transport/exchange.ts'
import { checkSessionOptions, isAnswer } from '../transport/get-session.ts'
import type { SessionOptions, SessionReading } from '../transport/get-session.ts'
import { typedByOptions } from '../transport/http-sessions.ts'
import type { CreateNewSession, GetSession, HttpSessions, RefreshSession } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import { webRules } from './options.ts'
import { toResponse, WebReply, WebRequest, withHeaders } from './web-exchange.ts'
import type { WebClientIp } from './web-exchange.ts'

export type { WebClientIp } from './web-exchange.ts'

/** What the adapter for web requests may be told. */
export interface WebOptions {
  /** Who sent a request: each platform has its own way to say. Default: unknown. */
  readonly clientIp?: WebClientIp
  /** Hears of every error that was answered with 500 or 503. Default: `console.error`. */
  readonly onError?: (error: unknown, request: Request) => void
}

/** A handler of web requests. `Rest` is what the platform passes besides: an environment, route parameters. */
export type WebHandler<Rest extends readonly unknown[]> = (request: Request, ...rest: Rest) => Promise<Response>

/**
 * Sessions for handlers that turn a web `Request` into a `Response`. Where a call takes `headers`, the response
 * must be made with them: `new Response(body, { headers })`. The wrappers see to that themselves.
 */
export interface WebSessions<Payload extends object, Info extends object> {
  readonly createNewSession: CreateNewSession<WebTarget, Payload, Info>
  readonly getSession: GetSession<WebTarget, Payload, Info>
  readonly refreshSession: RefreshSession<WebTarget, Payload, Info>
  /** Verifies where no response can be written, as in a server component. Changes nothing. */
  readSession(request: Request): Promise<SessionReading<Payload>>
  /** Makes a handler whose calls share one `headers`: they end up in its response, errors of Keyturn become answers. */
  handler<Rest extends readonly unknown[]>(
    handle: (request: Request, headers: Headers, ...rest: Rest) => Response | Promise<Response>,
  ): WebHandler<Rest>
  /**
   * Makes a handler that is called with the session, or answers with the error if there is none. It answers CORS
   * preflights itself.
   */
  requireSession<Rest extends readonly unknown[]>(
    handle: (request: Request, session: Session<Payload, Info>, ...rest: Rest) => Response | Promise<Response>,
    options?: SessionOptions<Payload>,
  ): WebHandler<Rest>
  /** Serves Keyturn's own routes: refresh, sign-out, key set. Null if the request is for none of them. */
  sessionRoutes(request: Request): Promise<Response | null>
  /** Makes a handler that writes CORS headers for the trusted origins and answers preflights. */
  cors<Rest extends readonly unknown[]>(
    handle: (request: Request, ...rest: Rest) => Response | Promise<Response>,
  ): WebHandler<Rest>
}

type WebTarget = [request: Request, headers: Headers]

/** Gives sessions the shape of web requests. */
export function webSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: WebOptions = {},
): Rest & WebSessions<Payload, Info> {
  checkOptions('webSessions', webRules, options)
  const { http } = sessions
  const clientIp = options.clientIp ?? ((): null => null)
  const report = options.onError ?? ((error: unknown): void => console.error('keyturn: a request failed:', error))
  const readable = (request: Request): WebRequest => new WebRequest(request, clientIp)
  const exchangeOf = (request: Request, headers: Headers): HttpExchange => ({
    request: readable(request),
    reply: new WebReply(headers),
  })

  function answerError(error: unknown, request: Request, sink: Headers): Response {
    const reply = http.errorReply(error, readable(request))
    if (reply.status >= 500) report(error, request)
    return toResponse(reply, sink, request.method)
  }

  /** Runs a handler with an exchange of its own, whose headers its response gets whatever comes of it. */
  async function run(
    request: Request,
    handle: (exchange: HttpExchange, sink: Headers) => Response | Promise<Response>,
  ): Promise<Response> {
    const sink = new Headers()
    const reply = new WebReply(sink)
    try {
      return withHeaders(await handle({ request: readable(request), reply }, sink), sink)
    } catch (error) {
      if (isSessionError(error)) return answerError(error, request, sink)
      throw error
    } finally {
      reply.closed = true
    }
  }

  const adapter: WebSessions<Payload, Info> = {
    createNewSession: (request, headers, ...rest) => http.createNewSession(exchangeOf(request, headers), ...rest),
    getSession: typedByOptions((request, headers, argument) => http.getSession(exchangeOf(request, headers), argument)),
    refreshSession: (request, headers) => http.refreshSession(exchangeOf(request, headers)),
    readSession: request => http.readSession(readable(request)),
    handler: handle => (request, ...rest) => run(request, (_, sink) => handle(request, sink, ...rest)),
    requireSession(handle, sessionOptions = {}) {
      checkSessionOptions(sessionOptions)
      return (request, ...rest) => run(request, async exchange => {
        const admitted = await http.guard(exchange, sessionOptions)
        return isAnswer(admitted) ? toAnswer(admitted, request) : handle(request, admitted, ...rest)
      })
    },
    async sessionRoutes(request) {
      const sink = new Headers()
      try {
        const reply = await http.handleSessionRoute(exchangeOf(request, sink))
        return reply === null ? null : toResponse(reply, sink, request.method)
      } catch (error) {
        if (isSessionError(error)) return answerError(error, request, sink)
        throw error
      }
    },
    cors: handle => (request, ...rest) => run(request, async exchange => {
      const preflight = http.applyCors(exchange)
      return preflight === null ? handle(request, ...rest) : toAnswer(preflight, request)
    }),
  }
  return { ...sessions, ...adapter }
}

function toAnswer(reply: RouteReply, request: Request): Response {
  return toResponse(reply, new Headers(), request.method)
}
