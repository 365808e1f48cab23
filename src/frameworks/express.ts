import type { ErrorRequestHandler, NextFunction, Request, RequestHandler, Response } from 'express'
import { andThen, orElse } from '../base/awaitable.ts'
import { isSessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import type { HttpExchange } from '../transport/exchange.ts'
import { checkSessionOptions, isAnswer } from '../transport/get-session.ts'
import type { SessionOptions } from '../transport/get-session.ts'
import { typedByOptions } from '../transport/http-sessions.ts'
import type { CreateNewSession, GetSession, HttpSessions, RefreshSession } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import { FoundSessions } from './found-sessions.ts'
import { nodeExchange, sendReply } from './node-exchange.ts'
import type { ClientIp } from './node-exchange.ts'
import { expressRules } from './options.ts'

/** What the adapter for Express may be told. */
export interface ExpressOptions {
  /**
   * Who sent a request. With `trust proxy` set rightly, `request => request.ip ?? null` is Express's own answer.
   * Default: the peer of the connection.
   */
  readonly clientIp?: ClientIp<Request>
  /** Hears of every error of Keyturn that was answered with 500 or 503. Default: `console.error`. */
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

/** Sessions for Express 4 and 5. */
export interface ExpressSessions<Payload extends object, Info extends object> {
  readonly createNewSession: CreateNewSession<ExpressTarget, Payload, Info>
  readonly getSession: GetSession<ExpressTarget, Payload, Info>
  readonly refreshSession: RefreshSession<ExpressTarget, Payload, Info>
  /**
   * Makes a handler that is called with the session; without one the error goes to the error handler. It answers CORS
   * preflights itself.
   */
  requireSession(handler: SessionHandler<Payload, Info>, options?: SessionOptions<Payload>): RequestHandler
  /**
   * Makes a middleware that lets only requests with a session pass, whatever their method; the next ones call
   * `sessionOf`. It answers CORS preflights itself.
   */
  requireSession(options?: SessionOptions<Payload>): RequestHandler
  /** The session that `requireSession` found. @throws GeneralError (`MISUSE`) if it was not asked. */
  sessionOf(request: Request): Session<Payload, Info>
  /**
   * Makes the middleware for Keyturn's own routes: refresh, sign-out, key set. Mount it at the root; it answers its
   * own errors.
   */
  sessionRoutes(): RequestHandler
  /** Makes the middleware that turns Keyturn's errors into answers and leaves others alone. Mount it last. */
  errorHandler(): ErrorRequestHandler
  /** Makes the middleware that writes CORS headers for the trusted origins and answers preflights. */
  cors(): RequestHandler
}

type ExpressTarget = [request: Request, response: Response]

/** Gives sessions the shape of Express. */
export function expressSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: ExpressOptions = {},
): Rest & ExpressSessions<Payload, Info> {
  checkOptions('expressSessions', expressRules, options)
  const { http } = sessions
  const report = options.onError ?? ((error: unknown): void => console.error('keyturn: a request failed:', error))
  const found = new FoundSessions<Request, Payload, Info>()
  const exchangeOf = (request: Request, response: Response): HttpExchange =>
    nodeExchange(request, response, options.clientIp)

  function answerError(error: unknown, request: Request, response: Response, next: NextFunction): void {
    if (response.headersSent || !isSessionError(error)) {
      next(error)
      return
    }
    const reply = http.errorReply(error, exchangeOf(request, response).request)
    if (reply.status >= 500) report(error, request)
    sendReply(request, response, reply)
  }

  function requireSession(
    first: SessionHandler<Payload, Info> | SessionOptions<Payload> = {},
    second: SessionOptions<Payload> = {},
  ): RequestHandler {
    checkSessionOptions(typeof first === 'function' ? second : first)
    return typeof first === 'function' ? guard(second, first) : guard(first, goOn)
  }

  function guard(sessionOptions: SessionOptions<Payload>, handler: SessionHandler<Payload, Info>): RequestHandler {
    return (request, response, next) => orElse(
      () => andThen(http.guard(exchangeOf(request, response), sessionOptions), admitted => {
        if (isAnswer(admitted)) return sendReply(request, response, admitted)
        found.set(request, admitted)
        return handler(request, response, admitted, next)
      }),
      error => next(asError(error)),
    )
  }

  const adapter: ExpressSessions<Payload, Info> = {
    createNewSession: (request, response, ...rest) => http.createNewSession(exchangeOf(request, response), ...rest),
    getSession: typedByOptions((request, response, argument) => (
      http.getSession(exchangeOf(request, response), argument)
    )),
    refreshSession: (request, response) => http.refreshSession(exchangeOf(request, response)),
    requireSession,
    sessionOf: request => found.get(request),
    sessionRoutes: () => async (request, response, next) => {
      try {
        const reply = await http.handleSessionRoute(exchangeOf(request, response))
        if (reply !== null) {
          sendReply(request, response, reply)
          return
        }
      } catch (error) {
        answerError(error, request, response, next)
        return
      }
      next()
    },
    errorHandler: () => answerError,
    cors: () => (request, response, next) => {
      const reply = http.applyCors(exchangeOf(request, response))
      if (reply === null) next()
      else sendReply(request, response, reply)
    },
  }
  return { ...sessions, ...adapter }
}

/** Express goes on to other handlers where it is handed nothing, or one of its own words, in place of an error. */
function asError(thrown: unknown): unknown {
  const isTaken = Boolean(thrown) && thrown !== 'route' && thrown !== 'router'
  return isTaken ? thrown : new Error(`a handler or a claim validator threw ${String(thrown)}`, { cause: thrown })
}

function goOn(_request: Request, _response: Response, _session: unknown, next: NextFunction): void {
  next()
}
