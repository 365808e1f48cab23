import type { Awaitable } from '../base/awaitable.ts'
import type { Clock } from '../base/time.ts'
import { applyCors } from './cors.ts'
import { errorReply } from './error-reply.ts'
import type { HttpExchange, HttpRequest, CompleteResponse } from './exchange.ts'
import { getSession, guard, readSession } from './get-session.ts'
import type { GetSessionArgument, GetOptionalSessionOptions, GetSessionOptions, SessionReading } from './get-session.ts'
import { authenticateHandshake } from './handshake.ts'
import type { HttpContext, HttpCore } from './http-context.ts'
import type { HttpPolicy } from './http-policy.ts'
import { refreshSession } from './refresh-session.ts'
import { refreshBeforeRender } from './refresh-before-render.ts'
import type { RenderSession } from './refresh-before-render.ts'
import { handleSessionRoute } from './session-routes.ts'
import type { ReadonlySession, Session } from './session.ts'
import { startSession } from './start-session.ts'
import type { NewSessionArguments } from './start-session.ts'

/**
 * Starts a session for a user who has just proved who they are, and attaches its tokens to the response. The session
 * that the client had before is ended. 1 store call, 2 if there was one before.
 * `Target` is what names the request and the response.
 * @throws CrossSiteRequestError if a page of a foreign origin asked for it (CSRF-10).
 * @throws InvalidDataError if the data cannot be kept: it does not fit its schema, or its token no cookie.
 * @throws GeneralError if the store fails.
 */
export type CreateNewSession<Target extends readonly unknown[], Payload extends object, Info extends object> = (
  ...call: [...target: Target, ...session: NewSessionArguments<Payload, Info>]
) => Promise<Session<Payload, Info>>

/**
 * Verifies the session of a request. 0 store calls unless revocation is `strict`. The last argument may be
 * `enableCsrfProtection` alone: true checks any method, false none.
 * @throws UnauthorizedError, TryRefreshTokenError, CrossSiteRequestError, InvalidClaimsError, GeneralError
 */
export interface GetSession<Target extends readonly unknown[], Payload extends object, Info extends object> {
  /** Null if the request carries no access token. */
  (...call: [...target: Target, options: GetOptionalSessionOptions<Payload>]): Promise<Session<Payload, Info> | null>
  (...call: [...target: Target, options?: boolean | GetSessionOptions<Payload>]): Promise<Session<Payload, Info>>
  /** For options that are not known before the program runs. */
  (
    ...call: [...target: Target, options: GetSessionArgument<Payload> | undefined]
  ): Promise<Session<Payload, Info> | null>
}

/**
 * Exchanges the refresh token of a request for the next pair and attaches it to the response. 1 store call on the
 * ordinary path. `sessionRoutes` already serves this; call it only for a route of your own.
 * @throws UnauthorizedError, TokenTheftDetectedError, CrossSiteRequestError, GeneralError
 */
export type RefreshSession<Target extends readonly unknown[], Payload extends object, Info extends object> = (
  ...call: Target
) => Promise<Session<Payload, Info>>

/** Sessions over HTTP, for any framework: what its adapter translates to. */
export interface HttpSessions<Payload extends object, Info extends object> {
  readonly policy: HttpPolicy
  readonly createNewSession: CreateNewSession<[exchange: HttpExchange], Payload, Info>
  readonly getSession: GetSession<[exchange: HttpExchange], Payload, Info>
  /**
   * What stands before a handler: the session of the request, or the answer to a preflight, told apart by `isAnswer`.
   * Answers, or throws, at once where nothing has to be waited for.
   */
  guard(exchange: HttpExchange, options: GetSessionOptions<Payload>): Awaitable<Session<Payload, Info> | CompleteResponse>
  readonly refreshSession: RefreshSession<[exchange: HttpExchange], Payload, Info>
  /** Verifies where no response can be written, as in a server component. Changes nothing. */
  readSession(request: HttpRequest): Promise<SessionReading<Payload>>
  /** Refreshes before a page is rendered, if it must be and can be. Never throws for what a session can be. */
  refreshBeforeRender(exchange: HttpExchange): Promise<RenderSession<Payload>>
  /**
   * Verifies the session of a connection's first request, as of a WebSocket: the origin is always checked, since
   * browsers send cookies along from any site. 0 store calls.
   * @throws UnauthorizedError, TryRefreshTokenError, CrossSiteRequestError, GeneralError
   */
  authenticateHandshake(request: HttpRequest): Promise<ReadonlySession<Payload>>
  /** Serves Keyturn's own routes; null if the path is none of them. @throws SessionError, for `errorReply` */
  handleSessionRoute(exchange: HttpExchange): Promise<CompleteResponse | null>
  /** Writes the CORS headers for the trusted origins; the whole answer if the request is a preflight. */
  applyCors(exchange: HttpExchange): CompleteResponse | null
  /** The answer for any thrown value. */
  errorReply(error: unknown, request: HttpRequest): CompleteResponse
}

/** Gives a function that finds the session of a request the types of {@link GetSession}: null only where it can be. */
export function withGetSessionTypes<Target extends readonly unknown[], Payload extends object, Info extends object>(
  find: (
    ...call: [...target: Target, options: GetSessionArgument<Payload> | undefined]
  ) => Promise<Session<Payload, Info> | null>,
): GetSession<Target, Payload, Info> {
  function typed(
    ...call: [...target: Target, options: GetOptionalSessionOptions<Payload>]
  ): Promise<Session<Payload, Info> | null>
  function typed(
    ...call: [...target: Target, options?: boolean | GetSessionOptions<Payload>]
  ): Promise<Session<Payload, Info>>
  function typed(
    ...call: [...target: Target, options: GetSessionArgument<Payload> | undefined]
  ): Promise<Session<Payload, Info> | null>
  function typed(
    ...call: [...target: Target, options?: GetSessionArgument<Payload> | undefined]
  ): Promise<Session<Payload, Info> | null> {
    return find(...call)
  }
  return typed
}

/** Puts HTTP before the core. */
export function createHttpSessions<Payload extends object, Info extends object>(
  core: HttpCore<Payload, Info>,
  policy: HttpPolicy,
  clock: Clock,
): HttpSessions<Payload, Info> {
  const context: HttpContext<Payload, Info> = { core, policy, clock }

  return {
    policy,
    createNewSession: (...[exchange, ...session]) => startSession<Payload, Info>(context, exchange, session),
    getSession: withGetSessionTypes<[exchange: HttpExchange], Payload, Info>((exchange, options) => (
      getSession(context, exchange, options)
    )),
    guard: (exchange, options) => guard(context, exchange, options),
    refreshSession: exchange => refreshSession(context, exchange),
    readSession: request => readSession(context, request),
    refreshBeforeRender: exchange => refreshBeforeRender(context, exchange),
    authenticateHandshake: request => authenticateHandshake(context, request),
    handleSessionRoute: exchange => handleSessionRoute(context, exchange),
    applyCors: exchange => applyCors(exchange, policy),
    errorReply: (error, request) => errorReply(error, request, policy),
  }
}
