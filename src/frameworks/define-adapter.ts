import type { Awaitable } from '../base/awaitable.ts'
import { isSessionError } from '../base/errors.ts'
import type { BodySource, ConsoleOptions } from '../transport/console-port.ts'
import type { CorsOptions } from '../transport/cors.ts'
import type { HttpExchange, HttpRequest, CompleteResponse, StreamedResponse } from '../transport/exchange.ts'
import { checkGuardOptions } from '../transport/get-session-options.ts'
import { isCompleteResponse } from '../transport/get-session.ts'
import type { RequireSessionOptions } from '../transport/get-session-options.ts'
import type { SessionReading } from '../transport/get-session.ts'
import { withGetSessionTypes } from '../transport/http-sessions.ts'
import type { CreateNewSession, GetSession, HttpSessions, RefreshSession, SignOut } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import type { NewSessionArguments } from '../transport/start-session.ts'
import { consoleStep } from './console-step.ts'
import { createErrorResponses } from './error-responses.ts'
import { RequestSessions } from './request-sessions.ts'
import { checkGuardArguments, mustBeCalled, mustBeCalledForCors } from './must-be-called.ts'

/**
 * The arguments by which handlers of a framework get a request and its response: `[request, response]`, `[context]`.
 * The first is the object that stands for the request until the response is sent.
 */
export type AdapterTarget = [request: object, ...others: unknown[]]

/** Runs before the handler of a request. Returns a response to send, or null to continue. */
export type AdapterStep<Target extends AdapterTarget> = (
  exchange: HttpExchange,
  request: Target[0],
) => Awaitable<StreamedResponse | null>

/** How an adapter turns the framework's objects into an exchange. */
export interface CallParts<Target extends AdapterTarget, Payload extends object, Info extends object> {
  /**
   * Gives a call of Keyturn the parameters of the framework's handlers:
   * `use => (request, response, ...rest) => use(exchangeOf(request, response), ...rest)`.
   */
  readonly call: <Rest extends readonly unknown[], Found extends Session<Payload, Info> | boolean | null>(
    use: (exchange: HttpExchange, ...rest: Rest) => Promise<Found>,
  ) => (...call: [...target: Target, ...rest: Rest]) => Promise<Found>
  /** Returns the request alone, where no response can be written. */
  readonly request: (request: Target[0]) => HttpRequest
}

/** What {@link defineAdapter} needs to know about a framework. */
export interface AdapterParts<Target extends AdapterTarget, Middleware, Payload extends object, Info extends object>
  extends CallParts<Target, Payload, Info> {
  /** Returns the framework's middleware for a step. It sends the response of the step, or continues if that is null. */
  readonly middleware: (step: AdapterStep<Target>) => Middleware
  /** Returns what has the body of a request, for the console. */
  readonly body?: ((request: Target[0]) => BodySource) | undefined
  /** Called with every error of Keyturn that is answered with 500 or 503. Default: `console.error`. */
  readonly onError?: ((error: unknown, request: Target[0]) => void) | undefined
}

/** The calls that every adapter has. */
export interface SessionCalls<Target extends AdapterTarget, Payload extends object, Info extends object> {
  /**
   * Creates a session for a user who has just authenticated, and adds its tokens to the response. Revokes the session
   * that the client had before. It is the session of the request from then on. Await it before you send the response:
   * otherwise it rejects, and no session is left. 1 store call, 2 if there was a session before.
   * @throws CrossSiteRequestError if a page of an untrusted origin causes the request, except by a navigation of the
   * tab with GET, or with POST if `allowCrossSitePost` is true (CSRF-10, L-01).
   * @throws InvalidDataError if the data does not match its schema, or the access token would be too long for a cookie.
   * @throws GeneralError (`STORE_UNAVAILABLE`) if the store fails.
   * @example
   * await sessions.createNewSession(request, response, user.id, { role: user.role })
   */
  readonly createNewSession: CreateNewSession<Target, Payload, Info>
  /**
   * Verifies the session of a request and returns it; null only with `required: false`. The last argument is an object
   * of options, or only the value of the option `csrf`. 0 store calls, 1 with `strict`.
   * @throws UnauthorizedError if there is no session, or it has expired or was revoked.
   * @throws TryRefreshTokenError if the access token has expired: the client refreshes, then repeats the request.
   * @throws CrossSiteRequestError if another site sent a request that changes something.
   * @throws InvalidClaimsError if a claim validator fails, or the login is older than `maxAuthenticationAge`.
   * @throws GeneralError if the store is needed and fails.
   * @example
   * const session = await sessions.getSession(request, response)
   */
  readonly getSession: GetSession<Target, Payload, Info>
  /**
   * Exchanges the refresh token of a request for a new pair of tokens, and adds it to the response (RFC 9700 section
   * 4.14). `sessionRoutes` has a route for this: call it only in a route of your own, and await it before you send the
   * response. Otherwise it rejects, and the client gets the same tokens when it repeats the refresh. 1 store call, 2
   * for a repeated token.
   * @throws UnauthorizedError if there is no refresh token, or its session has ended.
   * @throws TokenTheftDetectedError if two parties have used tokens of the session, which is then revoked.
   * @throws CrossSiteRequestError, GeneralError (`REFRESH_BUSY`: the client waits for `retryAfter` seconds)
   */
  readonly refreshSession: RefreshSession<Target, Payload, Info>
  /**
   * Revokes the session of a request, and clears its tokens in the response. An access token that has expired suffices,
   * or a refresh token; with cookies, the request must come from a trusted origin, whatever its method. Returns false
   * if the request has no session. 1 store call. `sessionRoutes` has a route for this; call it in a route of your own.
   * @throws CrossSiteRequestError, UnauthorizedError, TryRefreshTokenError, GeneralError
   */
  readonly signOut: SignOut<Target>
  /**
   * Reads the session of a request where no response can be written, and changes nothing. Never checks the origin of
   * ordinary requests. 0 store calls unless revocation is `strict`.
   * @throws GeneralError if the store is needed and fails.
   */
  readSession(request: Target[0]): Promise<SessionReading<Payload>>
}

/** The calls of an adapter whose framework has middleware. */
export interface AdapterCalls<Target extends AdapterTarget, Middleware, Payload extends object, Info extends object>
  extends SessionCalls<Target, Payload, Info> {
  /**
   * Returns a middleware that lets only requests with a session pass, whatever their method; later handlers call
   * `sessionOf`. It answers CORS preflights that reach it.
   * @throws GeneralError (`MISUSE`) if an option is invalid, or if the framework calls `requireSession` itself
   */
  requireSession(options?: RequireSessionOptions<Payload>): Middleware
  /**
   * The session that `requireSession` found, or the one that a later call for this request has created.
   * @throws GeneralError (`MISUSE`) if `requireSession` did not run for this request.
   */
  sessionOf(request: Target[0]): Session<Payload, Info>
  /** Returns the middleware for Keyturn's own routes: refresh, sign-out, key set. It answers its own errors. */
  sessionRoutes(): Middleware
  /**
   * Returns the middleware that writes CORS headers for the trusted origins and answers preflights. Mount it first.
   * `options` name headers of the application's own.
   */
  cors(options?: CorsOptions): Middleware
  /**
   * Returns the middleware that serves the console: a page for operators, below `options.path`. Mount it at the root,
   * before your routes.
   * @throws GeneralError (`MISUSE`) if an option is invalid
   */
  console(options: ConsoleOptions<Target[0]>): Middleware
}

/** The result of {@link defineAdapter}: the calls, and parts for calls of the framework's own. */
export interface Adapter<Target extends AdapterTarget, Middleware, Payload extends object, Info extends object> {
  /** The calls of the adapter, with the parameters of the framework's handlers. */
  readonly calls: AdapterCalls<Target, Middleware, Payload, Info>
  /**
   * The step of `requireSession`, for a framework that has its own form of it. It returns null if the request has a
   * session; `sessionOf` returns that session then. It returns or throws synchronously if no store call is needed.
   * @throws GeneralError (`MISUSE`) if an option is invalid
   */
  guard(options?: RequireSessionOptions<Payload>): AdapterStep<Target>
  /** The response to an error. `onError` is called if its status is 500 or 503, except for `REFRESH_BUSY`. */
  answer(error: unknown, request: Target[0]): CompleteResponse
}

/** Defines the calls that need no middleware, with the parameters of a framework. */
export function defineCalls<Target extends AdapterTarget, Payload extends object, Info extends object>(
  http: HttpSessions<Payload, Info>,
  { call, request: requestOf }: CallParts<Target, Payload, Info>,
): SessionCalls<Target, Payload, Info> {
  return {
    createNewSession: call<NewSessionArguments<Payload, Info>, Session<Payload, Info>>(http.createNewSession),
    getSession: withGetSessionTypes<Target, Payload, Info>(call(http.getSession)),
    refreshSession: call(http.refreshSession),
    signOut: call(http.signOut),
    readSession: request => http.readSession(requestOf(request)),
  }
}

/** Defines the calls for a framework that has middleware. */
export function defineAdapter<
  Target extends AdapterTarget, Middleware, Payload extends object, Info extends object,
>(
  http: HttpSessions<Payload, Info>,
  parts: AdapterParts<Target, Middleware, Payload, Info>,
): Adapter<Target, Middleware, Payload, Info> {
  const { middleware, request: requestOf } = parts
  const errors = createErrorResponses<Target[0]>(http, parts.onError)
  const found = new RequestSessions<Target[0], Payload, Info>()

  function guard(options: RequireSessionOptions<Payload> = {}): AdapterStep<Target> {
    checkGuardOptions(options, http.policy)
    return (exchange, request) => {
      const admitted = http.guard(exchange, options)
      return 'then' in admitted ? admitted.then(later => pass(request, later)) : pass(request, admitted)
    }
  }

  function pass(request: Target[0], admitted: Session<Payload, Info> | CompleteResponse): CompleteResponse | null {
    if (isCompleteResponse(admitted)) return admitted
    found.set(request, admitted)
    return null
  }

  let hasRoutes = false

  const calls: AdapterCalls<Target, Middleware, Payload, Info> = {
    ...defineCalls(http, parts),
    requireSession(...given) {
      checkGuardArguments(given)
      return middleware(guard(given[0]))
    },
    sessionOf(request) {
      const session = found.get(request)
      return http.changedSession(requestOf(request)) ?? session
    },
    sessionRoutes: mustBeCalled('sessionRoutes', () => {
      if (hasRoutes) http.policy.report({ code: 'ROUTES_MOUNTED_TWICE' })
      hasRoutes = true
      http.announceRoutes()
      return middleware(async (exchange, request) => {
        try {
          return await http.handleSessionRoute(exchange)
        } catch (error) {
          if (isSessionError(error)) return errors.answer(error, request, exchange.request)
          throw error
        }
      })
    }),
    cors: mustBeCalledForCors('cors', options => middleware(exchange => http.applyCors(exchange, options))),
    console(...given) {
      return middleware(consoleStep(http, given, given[0], parts.body))
    },
  }
  return { calls, guard, answer: (error, request) => errors.answer(error, request, requestOf(request)) }
}
