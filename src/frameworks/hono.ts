import type { Context, ErrorHandler, MiddlewareHandler } from 'hono'
import { isSessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import { AdapterExchange } from '../transport/exchange.ts'
import type { HttpExchange, StreamedResponse } from '../transport/exchange.ts'
import type { RequireSessionOptions } from '../transport/get-session-options.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import { defineAdapter } from './define-adapter.ts'
import type { AdapterCalls } from './define-adapter.ts'
import { checkOtherwise } from './must-be-called.ts'
import { honoRules } from './options.ts'
import {
  endNow, hasListeners, openReply, toResponse, WebResponseWriter, WebRequest, withHeaders,
} from './web-exchange.ts'

/** Options of `honoSessions`. */
export interface HonoOptions {
  /**
   * Returns the IP address of the client, or null: `context => getConnInfo(context).remote.address ?? null`, with
   * `getConnInfo` of Hono. Default: unknown.
   */
  readonly clientIp?: (context: Context) => string | null
  /**
   * Called with every error of Keyturn that is answered with 500 or 503, except a refresh that must wait
   * (`REFRESH_BUSY`). Default: `console.error`.
   */
  readonly onError?: (error: unknown, context: Context) => void
}

/** The variables that handlers after `requireSession` have in `context.var`. */
export interface HonoEnvironment<Payload extends object, Info extends object> {
  /** The variables of the context. */
  Variables: { session: Session<Payload, Info> }
}

type HonoTarget = [context: Context]

/** Sessions for Hono 4. */
export interface HonoSessions<Payload extends object, Info extends object>
  extends AdapterCalls<HonoTarget, MiddlewareHandler, Payload, Info> {
  /**
   * Returns the middleware that serves Keyturn's own routes (refresh, sign-out and key set) and writes the tokens into
   * every response. The other calls need it: `app.use(sessions.sessionRoutes())`, before your routes.
   */
  sessionRoutes(): MiddlewareHandler
  /**
   * Returns a middleware that lets only requests with a session pass, whatever their method. The session is in
   * `context.var.session`, and `sessionOf` returns it. It answers CORS preflights that reach it.
   */
  requireSession(options?: RequireSessionOptions<Payload>): MiddlewareHandler<HonoEnvironment<Payload, Info>>
  /**
   * Returns the error handler that answers Keyturn's errors: `app.onError(sessions.errorHandler())`. `otherwise`
   * answers all other errors; the default does what Hono does.
   */
  errorHandler(otherwise?: ErrorHandler): ErrorHandler
}

/**
 * Adds the calls for Hono to `sessions`, which `createSessions` returns.
 * @throws GeneralError (`MISUSE`) that names an invalid option.
 * @example
 * const sessions = honoSessions(createSessions({ origin: 'https://app.example.com' }))
 */
export function honoSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: HonoOptions = {},
): Rest & HonoSessions<Payload, Info> {
  checkOptions('honoSessions', honoRules, options)
  const { clientIp } = options
  // A handler writes headers before its response exists.
  const replies = new WeakMap<Context, WebResponseWriter>()

  const requestOf = (context: Context): WebRequest => (
    new WebRequest(context.req.raw, () => clientIp?.(context) ?? null, undefined, context)
  )

  function exchangeOf(context: Context): HttpExchange {
    return new AdapterExchange(requestOf(context), openReply(replies, context))
  }

  /** Runs what the outermost middleware of Keyturn contains, and adds the headers written meanwhile to the response. */
  async function within(context: Context, run: () => Promise<Response | undefined>): Promise<Response | undefined> {
    if (replies.has(context)) return run()
    const reply = new WebResponseWriter(new Headers(), context.req.raw)
    const sink = reply.headers
    replies.set(context, reply)
    let own: Response | undefined
    try {
      own = await run()
    } catch (error) {
      endNow(sink)
      throw error
    } finally {
      reply.close()
    }
    if (sink.keys().next().done && !hasListeners(sink)) return own
    const response = withHeaders(own ?? context.res, sink)
    // Hono merges a second response into the first and loses cookies. Clear the first, so that nothing is merged.
    context.res = undefined
    context.res = response
    return undefined
  }

  const { calls, answer } = defineAdapter<HonoTarget, MiddlewareHandler, Payload, Info>(sessions.http, {
    call: use => async (context, ...rest) => use(exchangeOf(context), ...rest),
    request: requestOf,
    // Hono keeps what a handler has read before.
    body: ({ req }) => req.raw.bodyUsed ? { parsed: req.text() } : req.raw,
    middleware: step => (context, next) => within(context, async () => {
      const reply = await step(exchangeOf(context), context)
      if (reply !== null) return toAnswer(reply, context)
      await next()
      return undefined
    }),
    onError: options.onError,
  })

  const adapter: HonoSessions<Payload, Info> = {
    ...calls,
    requireSession(...given) {
      const guard = calls.requireSession(...given)
      return (context, next) => guard(context, () => {
        context.set('session', calls.sessionOf(context))
        return next()
      })
    },
    errorHandler(...given) {
      checkOtherwise('errorHandler', given)
      const [otherwise = answerAsHono] = given
      return (error, context) => (
        isSessionError(error) ? toAnswer(answer(error, context), context) : otherwise(error, context)
      )
    },
  }
  return { ...sessions, ...adapter }
}

function toAnswer(reply: StreamedResponse, context: Context): Response {
  return toResponse(reply, new Headers(), context.req.method)
}

const answerAsHono: ErrorHandler = (error, context) => {
  if ('getResponse' in error) return error.getResponse()
  console.error(error)
  return context.text('Internal Server Error', 500)
}
