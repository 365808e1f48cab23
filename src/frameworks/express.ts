import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ErrorRequestHandler, NextFunction, Request, RequestHandler, Response } from 'express'
import { mapAwaitable, catchAwaitable } from '../base/awaitable.ts'
import { isSessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import type { HttpExchange } from '../transport/exchange.ts'
import type { RequireSessionOptions } from '../transport/get-session-options.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import { defineAdapter } from './define-adapter.ts'
import type { AdapterCalls } from './define-adapter.ts'
import { checkGuardArguments, mustBeCalled } from './must-be-called.ts'
import { nodeExchange, nodeRequest, sendReply } from './node-exchange.ts'
import type { ClientIp } from './node-exchange.ts'
import { expressRules } from './options.ts'

/** Options of `expressSessions`. */
export interface ExpressOptions {
  /**
   * Returns the IP address of the client, or null. If `trust proxy` is set correctly, use
   * `request => request.ip ?? null`. Default: the peer of the connection.
   */
  readonly clientIp?: ClientIp<Request>
  /**
   * Called with every error of Keyturn that is answered with 500 or 503, except a refresh that must wait
   * (`REFRESH_BUSY`). Default: `console.error`.
   */
  readonly onError?: (error: unknown, request: Request) => void
}

/**
 * A request handler that needs a session. If it throws or rejects, the error goes to the error handler, in Express 4
 * too. `ExpressRequest` and `ExpressResponse` are the types of request and response.
 */
export type SessionHandler<
  Payload extends object, Info extends object, ExpressRequest = Request, ExpressResponse = Response,
> = (
  request: ExpressRequest,
  response: ExpressResponse,
  session: Session<Payload, Info>,
  next: NextFunction,
) => unknown

/**
 * A middleware that takes requests of every type. So it leaves the types of the route's parameters, body and query to
 * the handlers after it.
 */
export type ExpressGuard = (request: IncomingMessage, response: ServerResponse, next: NextFunction) => void

type ExpressTarget = [request: Request, response: Response]

/** Sessions for Express 4 and 5. Mount `sessionRoutes` at the root. */
export interface ExpressSessions<Payload extends object, Info extends object>
  extends AdapterCalls<ExpressTarget, RequestHandler, Payload, Info> {
  /**
   * Returns a handler that is called with the session. Without a session, the error goes to the error handler. It
   * answers CORS preflights that reach it.
   */
  requireSession(handler: SessionHandler<Payload, Info>, options?: RequireSessionOptions<Payload>): RequestHandler
  /**
   * The same, for a handler that states the types of its request: `(request: Request<{ id: string }>, response,
   * session) => ...`, or `requireSession<{ id: string }>(...)`. They are those of Express, in its order.
   */
  requireSession<Params, ResponseBody = unknown, RequestBody = unknown, Query = Request['query']>(
    handler: SessionHandler<
      Payload, Info, Request<Params, ResponseBody, RequestBody, Query>, Response<ResponseBody>
    >,
    options?: RequireSessionOptions<Payload>,
  ): RequestHandler<Params, ResponseBody, RequestBody, Query>
  /**
   * Returns a middleware that lets only requests with a session pass, whatever their method; later handlers call
   * `sessionOf`. The types of the route are kept: `app.get('/orders/:id', sessions.requireSession(), request => ...)`.
   * It answers CORS preflights that reach it.
   */
  requireSession(options?: RequireSessionOptions<Payload>): ExpressGuard
  /** Returns the middleware that answers Keyturn's errors and passes other errors on. Mount it last. */
  errorHandler(): ErrorRequestHandler
}

/**
 * Adds the calls for Express to `sessions`, which `createSessions` returns.
 * @throws GeneralError (`MISUSE`) that names an invalid option.
 * @example
 * const sessions = expressSessions(createSessions({ origin: 'https://app.example.com' }))
 */
export function expressSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: ExpressOptions = {},
): Rest & ExpressSessions<Payload, Info> {
  checkOptions('expressSessions', expressRules, options)
  const exchangeOf = (request: Request, response: Response): HttpExchange =>
    nodeExchange(request, response, options.clientIp)

  const { calls, guard, answer } = defineAdapter<ExpressTarget, RequestHandler, Payload, Info>(sessions.http, {
    call: use => (request, response, ...rest) => use(exchangeOf(request, response), ...rest),
    request: request => nodeRequest(request, options.clientIp),
    body: request => request,
    middleware: step => (request, response, next) => catchAwaitable(
      () => mapAwaitable(step(exchangeOf(request, response), request), reply => {
        if (reply === null) next()
        else sendReply(request, response, reply)
      }),
      error => next(asError(error)),
    ),
    onError: options.onError,
  })

  function requireSession(
    handler: SessionHandler<Payload, Info>, sessionOptions?: RequireSessionOptions<Payload>,
  ): RequestHandler
  function requireSession<Params, ResponseBody, RequestBody, Query>(
    handler: SessionHandler<
      Payload, Info, Request<Params, ResponseBody, RequestBody, Query>, Response<ResponseBody>
    >,
    sessionOptions?: RequireSessionOptions<Payload>,
  ): RequestHandler<Params, ResponseBody, RequestBody, Query>
  function requireSession(sessionOptions?: RequireSessionOptions<Payload>): ExpressGuard
  function requireSession(
    first?: SessionHandler<Payload, Info> | RequireSessionOptions<Payload>,
    second?: RequireSessionOptions<Payload>,
    ...others: readonly unknown[]
  ): RequestHandler {
    checkGuardArguments([first, second, ...others])
    if (typeof first !== 'function') return calls.requireSession(first)
    const step = guard(second)
    return (request, response, next) => catchAwaitable(
      () => mapAwaitable(step(exchangeOf(request, response), request), reply => (
        reply === null
          ? first(request, response, calls.sessionOf(request), next)
          : sendReply(request, response, reply)
      )),
      error => next(asError(error)),
    )
  }

  const adapter: ExpressSessions<Payload, Info> = {
    ...calls,
    requireSession,
    errorHandler: mustBeCalled('errorHandler', () => (error, request, response, next) => {
      if (response.headersSent || !isSessionError(error)) next(error)
      else sendReply(request, response, answer(error, request))
    }),
  }
  return { ...sessions, ...adapter }
}

/** Express treats a falsy value, `route` and `router` as "no error" and continues with other handlers. */
function asError(thrown: unknown): unknown {
  const isTaken = Boolean(thrown) && thrown !== 'route' && thrown !== 'router'
  return isTaken ? thrown : new Error(`a handler or a claim validator threw ${String(thrown)}`, { cause: thrown })
}
