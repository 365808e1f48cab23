import type { ErrorRequestHandler, NextFunction, Request, RequestHandler, Response } from 'express'
import { mapAwaitable, catchAwaitable } from '../base/awaitable.ts'
import { isSessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import type { HttpExchange } from '../transport/exchange.ts'
import type { GetSessionOptions } from '../transport/get-session.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import { defineAdapter } from './define-adapter.ts'
import type { AdapterCalls } from './define-adapter.ts'
import { checkGuardArguments, mustBeCalled } from './must-be-called.ts'
import { nodeExchange, nodeRequest, sendReply } from './node-exchange.ts'
import type { ClientIp } from './node-exchange.ts'
import { expressRules } from './options.ts'

/** What the adapter for Express may be told. */
export interface ExpressOptions {
  /**
   * Who sent a request. With `trust proxy` set rightly, `request => request.ip ?? null` is Express's own answer.
   * Default: the peer of the connection.
   */
  readonly clientIp?: ClientIp<Request>
  /**
   * Hears of every error of Keyturn that was answered with 500 or 503, but not of a refresh that was told to
   * wait (`REFRESH_BUSY`). Default: `console.error`.
   */
  readonly onError?: (error: unknown, request: Request) => void
}

/**
 * A request handler that needs a session. What it throws or rejects with goes to the error handler, in Express 4
 * too.
 */
export type SessionHandler<Payload extends object, Info extends object> = (
  request: Request,
  response: Response,
  session: Session<Payload, Info>,
  next: NextFunction,
) => unknown

type ExpressTarget = [request: Request, response: Response]

/** Sessions for Express 4 and 5. Mount `sessionRoutes` at the root. */
export interface ExpressSessions<Payload extends object, Info extends object>
  extends AdapterCalls<ExpressTarget, RequestHandler, Payload, Info> {
  /**
   * Makes a handler that is called with the session; without one the error goes to the error handler. It answers CORS
   * preflights itself.
   */
  requireSession(handler: SessionHandler<Payload, Info>, options?: GetSessionOptions<Payload>): RequestHandler
  /**
   * Makes a middleware that lets only requests with a session pass, whatever their method; the next ones call
   * `sessionOf`. It answers CORS preflights itself.
   */
  requireSession(options?: GetSessionOptions<Payload>): RequestHandler
  /** Makes the middleware that turns Keyturn's errors into answers and leaves others alone. Mount it last. */
  errorHandler(): ErrorRequestHandler
}

/** Gives sessions the shape of Express. */
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
    first?: SessionHandler<Payload, Info> | GetSessionOptions<Payload>,
    second?: GetSessionOptions<Payload>,
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

/** Express goes on to other handlers where it is handed nothing, or one of its own words, in place of an error. */
function asError(thrown: unknown): unknown {
  const isTaken = Boolean(thrown) && thrown !== 'route' && thrown !== 'router'
  return isTaken ? thrown : new Error(`a handler or a claim validator threw ${String(thrown)}`, { cause: thrown })
}
