import type { Awaitable } from '../base/awaitable.ts'
import { isSessionError } from '../base/errors.ts'
import type { HttpExchange, HttpRequest, CompleteResponse } from '../transport/exchange.ts'
import { checkGetSessionOptions, isAnswer } from '../transport/get-session.ts'
import type { GetSessionOptions, SessionReading } from '../transport/get-session.ts'
import { withGetSessionTypes } from '../transport/http-sessions.ts'
import type { CreateNewSession, GetSession, HttpSessions, RefreshSession } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import type { NewSessionArguments } from '../transport/start-session.ts'
import { createErrorAnswers } from './error-answers.ts'
import { RequestSessions } from './request-sessions.ts'
import { checkGuardArguments, mustBeCalled } from './must-be-called.ts'

/**
 * What names a request and its response in a framework, as its handlers get it: `[request, response]`, `[context]`. The
 * first is the object that stands for the request until the response is sent.
 */
export type AdapterTarget = [request: object, ...others: unknown[]]

/** What happens to a request before its handler: the whole answer to it, or null if it may pass. */
export type AdapterStep<Target extends AdapterTarget> = (
  exchange: HttpExchange,
  request: Target[0],
) => Awaitable<CompleteResponse | null>

/** How a framework's own objects become an exchange. */
export interface CallParts<Target extends AdapterTarget, Payload extends object, Info extends object> {
  /**
   * Gives a call of Keyturn's the parameters of the framework's own:
   * `use => (request, response, ...rest) => use(exchangeOf(request, response), ...rest)`.
   */
  readonly call: <Rest extends readonly unknown[], Found extends Session<Payload, Info> | null>(
    use: (exchange: HttpExchange, ...rest: Rest) => Promise<Found>,
  ) => (...call: [...target: Target, ...rest: Rest]) => Promise<Found>
  /** Shows a request where no response can be written. */
  readonly request: (request: Target[0]) => HttpRequest
}

/** What an adapter says of its framework. */
export interface AdapterParts<Target extends AdapterTarget, Middleware, Payload extends object, Info extends object>
  extends CallParts<Target, Payload, Info> {
  /** Makes what the framework runs before a handler. It sends the answer of the step, or goes on if that is null. */
  readonly middleware: (step: AdapterStep<Target>) => Middleware
  /** Hears of every error of Keyturn that is answered with 500 or 503. Default: `console.error`. */
  readonly onError?: ((error: unknown, request: Target[0]) => void) | undefined
}

/** The calls that every adapter has. */
export interface SessionCalls<Target extends AdapterTarget, Payload extends object, Info extends object> {
  readonly createNewSession: CreateNewSession<Target, Payload, Info>
  readonly getSession: GetSession<Target, Payload, Info>
  readonly refreshSession: RefreshSession<Target, Payload, Info>
  /** Verifies where no response can be written. Changes nothing. 0 store calls unless revocation is `strict`. */
  readSession(request: Target[0]): Promise<SessionReading<Payload>>
}

/** The calls of an adapter whose framework has middleware. */
export interface AdapterCalls<Target extends AdapterTarget, Middleware, Payload extends object, Info extends object>
  extends SessionCalls<Target, Payload, Info> {
  /**
   * Makes a middleware that lets only requests with a session pass, whatever their method; the next ones call
   * `sessionOf`. It answers CORS preflights itself.
   * @throws GeneralError (`MISUSE`) if an option will not do, or if it is passed to the framework without being called
   */
  requireSession(options?: GetSessionOptions<Payload>): Middleware
  /** The session that `requireSession` found. @throws GeneralError (`MISUSE`) if it was not asked. */
  sessionOf(request: Target[0]): Session<Payload, Info>
  /** Makes the middleware for Keyturn's own routes: refresh, sign-out, key set. It answers its own errors. */
  sessionRoutes(): Middleware
  /** Makes the middleware that writes CORS headers for the trusted origins and answers preflights. Mount it first. */
  cors(): Middleware
}

/** What {@link defineAdapter} makes: the calls, and what a framework's own forms of them are made of. */
export interface Adapter<Target extends AdapterTarget, Middleware, Payload extends object, Info extends object> {
  readonly calls: AdapterCalls<Target, Middleware, Payload, Info>
  /**
   * The step of `requireSession`, for a form of its own: null if the request has a session, which `sessionOf` knows
   * then. Answers, or throws, at once where nothing has to be waited for.
   * @throws GeneralError (`MISUSE`) if an option will not do
   */
  guard(options?: GetSessionOptions<Payload>): AdapterStep<Target>
  /** The answer to an error. `onError` hears of one with 500 or 503, unless it is a refresh that was told to wait. */
  answer(error: unknown, request: Target[0]): CompleteResponse
}

/** Gives the calls that need no middleware the parameters of a framework. */
export function defineCalls<Target extends AdapterTarget, Payload extends object, Info extends object>(
  http: HttpSessions<Payload, Info>,
  { call, request: requestOf }: CallParts<Target, Payload, Info>,
): SessionCalls<Target, Payload, Info> {
  return {
    createNewSession: call<NewSessionArguments<Payload, Info>, Session<Payload, Info>>(http.createNewSession),
    getSession: withGetSessionTypes<Target, Payload, Info>(call(http.getSession)),
    refreshSession: call(http.refreshSession),
    readSession: request => http.readSession(requestOf(request)),
  }
}

/** Gives sessions the shape of a framework that has middleware. */
export function defineAdapter<
  Target extends AdapterTarget, Middleware, Payload extends object, Info extends object,
>(
  http: HttpSessions<Payload, Info>,
  parts: AdapterParts<Target, Middleware, Payload, Info>,
): Adapter<Target, Middleware, Payload, Info> {
  const { middleware, request: requestOf } = parts
  const errors = createErrorAnswers<Target[0]>(http, parts.onError)
  const found = new RequestSessions<Target[0], Payload, Info>()

  function guard(options: GetSessionOptions<Payload> = {}): AdapterStep<Target> {
    checkGetSessionOptions(options)
    return (exchange, request) => {
      const admitted = http.guard(exchange, options)
      return 'then' in admitted ? admitted.then(later => pass(request, later)) : pass(request, admitted)
    }
  }

  function pass(request: Target[0], admitted: Session<Payload, Info> | CompleteResponse): CompleteResponse | null {
    if (isAnswer(admitted)) return admitted
    found.set(request, admitted)
    return null
  }

  const calls: AdapterCalls<Target, Middleware, Payload, Info> = {
    ...defineCalls(http, parts),
    requireSession(...given) {
      checkGuardArguments(given)
      return middleware(guard(given[0]))
    },
    sessionOf: request => found.get(request),
    sessionRoutes: mustBeCalled('sessionRoutes', () => middleware(async (exchange, request) => {
      try {
        return await http.handleSessionRoute(exchange)
      } catch (error) {
        if (isSessionError(error)) return errors.answer(error, request, exchange.request)
        throw error
      }
    })),
    cors: mustBeCalled('cors', () => middleware(exchange => http.applyCors(exchange))),
  }
  return { calls, guard, answer: (error, request) => errors.answer(error, request, requestOf(request)) }
}
