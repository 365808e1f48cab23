import type { Awaitable } from '../base/awaitable.ts'
import { InvalidDataError } from '../base/errors.ts'
import type { Clock } from '../base/time.ts'
import { SchemaMismatchError } from '../session/application-data.ts'
import type { OpenConsole } from './console-port.ts'
import { applyCors } from './cors.ts'
import type { CorsOptions } from './cors.ts'
import { CurrentSessions } from './current-session.ts'
import { errorReply } from './error-reply.ts'
import type { HttpExchange, HttpRequest, CompleteResponse } from './exchange.ts'
import { getSession, guard, readSession } from './get-session.ts'
import type {
  GetSessionArgument, GetOptionalSessionOptions, GetSessionOptions, RequireSessionOptions,
} from './get-session-options.ts'
import type { SessionReading } from './get-session.ts'
import { authenticateHandshake } from './handshake.ts'
import type { HttpContext, HttpCore } from './http-context.ts'
import type { HttpPolicy } from './http-policy.ts'
import type { HttpImports } from './imports.ts'
import { refreshSession } from './refresh-session.ts'
import { refreshBeforeRender } from './refresh-before-render.ts'
import type { RenderSession } from './refresh-before-render.ts'
import { handleSessionRoute } from './session-routes.ts'
import { signOut } from './sign-out.ts'
import type { ReadonlySession, Session } from './session.ts'
import { startSession } from './start-session.ts'
import type { NewSessionArguments } from './start-session.ts'

/** The type of `createNewSession`. `Target`: the arguments that are the request and the response. */
export type CreateNewSession<Target extends readonly unknown[], Payload extends object, Info extends object> = (
  ...call: [...target: Target, ...session: NewSessionArguments<Payload, Info>]
) => Promise<Session<Payload, Info>>

/** The type of `getSession`. `Target`: the arguments that are the request and the response. */
export interface GetSession<Target extends readonly unknown[], Payload extends object, Info extends object> {
  /**
   * Verifies the session of a request; null if the request has no session. 0 store calls, 1 with `strict`.
   * @throws TryRefreshTokenError, CrossSiteRequestError, InvalidClaimsError, GeneralError
   */
  (...call: [...target: Target, options: GetOptionalSessionOptions<Payload>]): Promise<Session<Payload, Info> | null>
  /**
   * Verifies the session of a request. The last argument is an object of options, or only the value of the option
   * `csrf`. 0 store calls, 1 with `strict`.
   * @throws UnauthorizedError if there is no session, or it has expired or was revoked.
   * @throws TryRefreshTokenError if the access token has expired: the client refreshes, then repeats the request.
   * @throws CrossSiteRequestError if another site sent a request that changes something.
   * @throws InvalidClaimsError if a claim validator fails, or the login is older than `maxAuthenticationAge`.
   * @throws GeneralError if the store is needed and fails.
   * @example
   * const session = await sessions.getSession(request, response)
   */
  (...call: [...target: Target, options?: boolean | GetSessionOptions<Payload>]): Promise<Session<Payload, Info>>
  /** The same, for options that are not known at compile time: null only if they have `required: false`. */
  (
    ...call: [...target: Target, options: GetSessionArgument<Payload> | undefined]
  ): Promise<Session<Payload, Info> | null>
}

/** The type of `refreshSession`. `Target`: the arguments that are the request and the response. */
export type RefreshSession<Target extends readonly unknown[], Payload extends object, Info extends object> = (
  ...call: Target
) => Promise<Session<Payload, Info>>

/** The type of `signOut`. `Target`: the arguments that are the request and the response. */
export type SignOut<Target extends readonly unknown[]> = (...call: Target) => Promise<boolean>

/** Sessions over HTTP, for adapters of any framework. */
export interface HttpSessions<Payload extends object, Info extends object> {
  /** The checked options of HTTP: cookies, origins, paths. */
  readonly policy: HttpPolicy
  /** Creates a session, as the adapters' `createNewSession`. */
  readonly createNewSession: CreateNewSession<[exchange: HttpExchange], Payload, Info>
  /** Verifies the session of a request, as the adapters' `getSession`. */
  readonly getSession: GetSession<[exchange: HttpExchange], Payload, Info>
  /**
   * Guards a handler: returns the session of the request, or the response to send instead: to a CORS preflight, or the
   * redirect to the login page. Distinguish them with `isCompleteResponse`. Synchronous if verification is.
   */
  guard(
    exchange: HttpExchange,
    options: RequireSessionOptions<Payload>,
  ): Awaitable<Session<Payload, Info> | CompleteResponse>
  /** Exchanges the refresh token of a request, as the adapters' `refreshSession`. */
  readonly refreshSession: RefreshSession<[exchange: HttpExchange], Payload, Info>
  /** Revokes the session of a request, as the adapters' `signOut`. */
  readonly signOut: SignOut<[exchange: HttpExchange]>
  /** The session of a request, if a call for it has created, refreshed or updated the session; null otherwise. */
  changedSession(request: HttpRequest): Session<Payload, Info> | null
  /** Verifies the session where no response headers can be written, as in a server component. Changes nothing. */
  readSession(request: HttpRequest): Promise<SessionReading<Payload>>
  /** Refreshes the session before a page is rendered, if necessary and possible. Throws no errors of Keyturn. */
  refreshBeforeRender(exchange: HttpExchange): Promise<RenderSession<Payload>>
  /**
   * Verifies the session of the request that opens a connection, such as a WebSocket. Always checks the origin, because
   * browsers send cookies with such requests from any site. 0 store calls, 1 with `strict`.
   * @throws UnauthorizedError, TryRefreshTokenError, CrossSiteRequestError, GeneralError
   */
  authenticateHandshake(request: HttpRequest): Promise<ReadonlySession<Payload>>
  /** Call it where the function for Keyturn's own routes is created, so that their absence can be diagnosed. */
  announceRoutes(): void
  /** Handles Keyturn's own routes; null for any other path. @throws SessionError, for `errorReply` */
  handleSessionRoute(exchange: HttpExchange): Promise<CompleteResponse | null>
  /** Writes the CORS headers for trusted origins; returns the complete response if the request is a preflight. */
  applyCors(exchange: HttpExchange, options?: CorsOptions): CompleteResponse | null
  /** The response for any thrown value. */
  errorReply(error: unknown, request: HttpRequest): CompleteResponse
  /** Opens the console of these sessions. */
  readonly openConsole: OpenConsole
}

/** Adds the overloads of {@link GetSession} to a function: its result is null only if the session is optional. */
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

/** Creates sessions over HTTP from a session core. */
export function createHttpSessions<Payload extends object, Info extends object>(
  core: HttpCore<Payload, Info>,
  policy: HttpPolicy,
  clock: Clock,
  openConsole: OpenConsole,
  imports: HttpImports<Payload> | null = null,
): HttpSessions<Payload, Info> {
  const current: CurrentSessions<Payload, Info> = new CurrentSessions()
  const context: HttpContext<Payload, Info> = { core, policy, clock, current, imports, routes: { served: false } }

  return {
    policy,
    createNewSession: (...[exchange, ...session]) => startSession<Payload, Info>(context, exchange, session),
    getSession: withGetSessionTypes<[exchange: HttpExchange], Payload, Info>((exchange, options) => (
      getSession(context, exchange, options)
    )),
    guard: (exchange, options) => guard(context, exchange, options),
    refreshSession: exchange => refreshSession(context, exchange),
    signOut: exchange => signOut(context, exchange),
    changedSession(request) {
      const changed = context.current.of(request)
      return changed?.kind === 'session' ? changed.session : null
    },
    readSession: request => readSession(context, request),
    refreshBeforeRender: exchange => refreshBeforeRender(context, exchange),
    authenticateHandshake: request => authenticateHandshake(context, request),
    announceRoutes() {
      context.routes.served = true
    },
    handleSessionRoute: exchange => handleSessionRoute(context, exchange),
    applyCors: (exchange, options = {}) => applyCors(exchange, policy, options),
    errorReply(error, request) {
      // The response does not say why, and the client is rarely the cause.
      if (error instanceof InvalidDataError && !(error instanceof SchemaMismatchError)) {
        policy.report({ code: 'INVALID_DATA', reason: error.message })
      }
      return errorReply(error, request, policy)
    },
    openConsole,
  }
}
