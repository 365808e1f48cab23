import { isSessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import type { ConsoleOptions } from '../transport/console-port.ts'
import { corsRules } from '../transport/cors.ts'
import type { CorsOptions } from '../transport/cors.ts'
import { AdapterExchange } from '../transport/exchange.ts'
import type { HttpExchange, StreamedResponse } from '../transport/exchange.ts'
import { checkGuardOptions } from '../transport/get-session-options.ts'
import { isCompleteResponse } from '../transport/get-session.ts'
import type { RequireSessionOptions } from '../transport/get-session-options.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import { consoleStep } from './console-step.ts'
import { defineCalls } from './define-adapter.ts'
import type { SessionCalls } from './define-adapter.ts'
import { createErrorResponses } from './error-responses.ts'
import { checkWrapperArguments, mustBeCalled } from './must-be-called.ts'
import { webRules } from './options.ts'
import { endNow, toResponse, WebResponseWriter, WebRequest, withHeaders } from './web-exchange.ts'
import type { WebClientIp } from './web-exchange.ts'

export type { WebClientIp } from './web-exchange.ts'

/** Options of `webSessions`. */
export interface WebOptions {
  /** Returns the IP address of the client, or null; where it is depends on the platform. Default: unknown. */
  readonly clientIp?: WebClientIp
  /**
   * Called with every error that is answered with 500 or 503, except a refresh that must wait (`REFRESH_BUSY`).
   * Default: `console.error`.
   */
  readonly onError?: (error: unknown, request: Request) => void
}

/** A handler of web requests. `Rest` are further arguments of the platform: an environment, route parameters. */
export type WebHandler<Rest extends readonly unknown[]> = (request: Request, ...rest: Rest) => Promise<Response>

type WebTarget = [request: Request, headers: Headers]

/**
 * Sessions for handlers that turn a web `Request` into a `Response`. If a call takes `headers`, create the response
 * with them: `new Response(body, { headers })`. The wrappers (`handler`, `requireSession`, `cors`) do so themselves.
 */
export interface WebSessions<Payload extends object, Info extends object>
  extends SessionCalls<WebTarget, Payload, Info> {
  /**
   * Returns a handler that adds `headers` to its response and answers errors of Keyturn. Pass `headers` to the calls.
   */
  handler<Rest extends readonly unknown[]>(
    handle: (request: Request, headers: Headers, ...rest: Rest) => Response | Promise<Response>,
  ): WebHandler<Rest>
  /**
   * Returns a handler that calls `handle` with the session, or answers with the error if there is no session. It
   * answers CORS preflights that reach it.
   */
  requireSession<Rest extends readonly unknown[]>(
    handle: (request: Request, session: Session<Payload, Info>, ...rest: Rest) => Response | Promise<Response>,
    options?: RequireSessionOptions<Payload>,
  ): WebHandler<Rest>
  /**
   * Returns the handler of Keyturn's own routes: refresh, sign-out, key set. It resolves to null if the request is for
   * none of them, and answers its own errors.
   */
  sessionRoutes(): (request: Request) => Promise<Response | null>
  /**
   * Returns a handler that writes CORS headers for the trusted origins and answers preflights. `options` name headers
   * of the application's own.
   */
  cors<Rest extends readonly unknown[]>(
    handle: (request: Request, ...rest: Rest) => Response | Promise<Response>,
    options?: CorsOptions,
  ): WebHandler<Rest>
  /**
   * Returns the handler of the console, a page for operators, below `options.path`. It resolves to null if the request
   * is not for the console.
   */
  console(options: ConsoleOptions<Request>): (request: Request) => Promise<Response | null>
}

/**
 * Adds the calls for web requests to `sessions`, which `createSessions` returns.
 * @throws GeneralError (`MISUSE`) that names an invalid option.
 * @example
 * const sessions = webSessions(createSessions({ origin: 'https://app.example.com', store }))
 */
export function webSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: WebOptions = {},
): Rest & WebSessions<Payload, Info> {
  checkOptions('webSessions', webRules, options)
  const { http } = sessions
  const clientIp = options.clientIp ?? ((): null => null)
  const readable = (request: Request): WebRequest => new WebRequest(request, clientIp)
  const errors = createErrorResponses<Request>(http, options.onError)

  /** Runs a handler with a new exchange and adds the headers written to it, also to the response to an error. */
  async function run<Result extends Response | null>(
    request: Request,
    handle: (exchange: HttpExchange, sink: Headers) => Result | Promise<Result>,
  ): Promise<Response | Result> {
    const sink = new Headers()
    const reply = new WebResponseWriter(sink, request)
    try {
      const response = await handle(new AdapterExchange(readable(request), reply), sink)
      return response === null ? response : withHeaders(response, sink)
    } catch (error) {
      endNow(sink)
      if (isSessionError(error)) {
        return toResponse(errors.answer(error, request, readable(request)), sink, request.method)
      }
      throw error
    } finally {
      reply.close()
    }
  }

  const adapter: WebSessions<Payload, Info> = {
    ...defineCalls<WebTarget, Payload, Info>(http, {
      call: use => (request, headers, ...rest) => (
        use(new AdapterExchange(readable(request), new WebResponseWriter(headers, request)), ...rest)
      ),
      request: readable,
    }),
    handler(handle, ...others: readonly unknown[]) {
      checkWrapperArguments('handler', [handle, ...others])
      return (request, ...rest) => run(request, (_, sink) => handle(request, sink, ...rest))
    },
    requireSession(handle, sessionOptions, ...others: readonly unknown[]) {
      checkWrapperArguments('requireSession', [handle, sessionOptions, ...others])
      checkGuardOptions(sessionOptions ?? {}, http.policy)
      return (request, ...rest) => run(request, async exchange => {
        const admitted = await http.guard(exchange, sessionOptions ?? {})
        return isCompleteResponse(admitted) ? toAnswer(admitted, request) : handle(request, admitted, ...rest)
      })
    },
    sessionRoutes: mustBeCalled('sessionRoutes', () => {
      http.announceRoutes()
      return request => run(request, async exchange => {
        const reply = await http.handleSessionRoute(exchange)
        return reply === null ? null : toAnswer(reply, request)
      })
    }),
    cors(handle, corsOptions, ...others: readonly unknown[]) {
      checkWrapperArguments('cors', [handle, corsOptions, ...others])
      checkOptions('cors', corsRules, corsOptions ?? {})
      return (request, ...rest) => run(request, async exchange => {
        const preflight = http.applyCors(exchange, corsOptions)
        return preflight === null ? handle(request, ...rest) : toAnswer(preflight, request)
      })
    },
    console(...given) {
      const step = consoleStep(http, given, given[0], request => request)
      return request => run(request, async exchange => {
        const reply = await step(exchange, request)
        return reply === null ? null : toAnswer(reply, request)
      })
    },
  }
  return { ...sessions, ...adapter }
}

function toAnswer(reply: StreamedResponse, request: Request): Response {
  return toResponse(reply, new Headers(), request.method)
}
