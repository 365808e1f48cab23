import type { Context, ErrorHandler, MiddlewareHandler } from 'hono'
import { isSessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import type { HttpExchange, CompleteResponse } from '../transport/exchange.ts'
import type { GetSessionOptions } from '../transport/get-session.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import { defineAdapter } from './define-adapter.ts'
import type { AdapterCalls } from './define-adapter.ts'
import { checkOtherwise } from './must-be-called.ts'
import { honoRules } from './options.ts'
import { openReply, toResponse, WebResponseWriter, WebRequest, withHeaders } from './web-exchange.ts'

/** What the adapter for Hono may be told. */
export interface HonoOptions {
  /**
   * Who sent a request; `context => getConnInfo(context).remote.address ?? null` is Hono's own answer. Default:
   * unknown.
   */
  readonly clientIp?: (context: Context) => string | null
  /**
   * Hears of every error of Keyturn that was answered with 500 or 503, but not of a refresh that was told to
   * wait (`REFRESH_BUSY`). Default: `console.error`.
   */
  readonly onError?: (error: unknown, context: Context) => void
}

/** What handlers after `requireSession` find in `context.var`. */
export interface HonoEnvironment<Payload extends object, Info extends object> {
  Variables: { session: Session<Payload, Info> }
}

type HonoTarget = [context: Context]

/** Sessions for Hono 4. */
export interface HonoSessions<Payload extends object, Info extends object>
  extends AdapterCalls<HonoTarget, MiddlewareHandler, Payload, Info> {
  /**
   * Makes the middleware that serves Keyturn's own routes, refresh, sign-out and key set, and brings the tokens into
   * every response. The other calls need it: `app.use(sessions.sessionRoutes())`, before your routes.
   */
  sessionRoutes(): MiddlewareHandler
  /**
   * Makes a middleware that lets only requests with a session pass, whatever their method: `sessionOf` knows it, and it
   * is in `context.var.session`. It answers CORS preflights itself.
   */
  requireSession(options?: GetSessionOptions<Payload>): MiddlewareHandler<HonoEnvironment<Payload, Info>>
  /**
   * Makes the error handler that turns Keyturn's errors into answers: `app.onError(sessions.errorHandler())`.
   * `otherwise` answers all other errors; the default does what Hono does.
   */
  errorHandler(otherwise?: ErrorHandler): ErrorHandler
}

/** Gives sessions the shape of Hono. */
export function honoSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: HonoOptions = {},
): Rest & HonoSessions<Payload, Info> {
  checkOptions('honoSessions', honoRules, options)
  const { clientIp } = options
  // A handler writes long before there is a response to write to.
  const replies = new WeakMap<Context, WebResponseWriter>()

  const requestOf = (context: Context): WebRequest => (
    new WebRequest(context.req.raw, () => clientIp?.(context) ?? null)
  )

  function exchangeOf(context: Context): HttpExchange {
    return { request: requestOf(context), reply: openReply(replies, context) }
  }

  /** Runs what is within the outermost middleware of ours, and adds what was written to the response it made. */
  async function within(context: Context, run: () => Promise<Response | undefined>): Promise<Response | undefined> {
    if (replies.has(context)) return run()
    const reply = new WebResponseWriter()
    const sink = reply.headers
    replies.set(context, reply)
    const own = await run()
    reply.closed = true
    if (sink.keys().next().done) return own
    const response = withHeaders(own ?? context.res, sink)
    // Hono merges a second response into the first, and loses cookies by it; without a first there is no merging.
    context.res = undefined
    context.res = response
    return undefined
  }

  const { calls, answer } = defineAdapter<HonoTarget, MiddlewareHandler, Payload, Info>(sessions.http, {
    call: use => async (context, ...rest) => use(exchangeOf(context), ...rest),
    request: requestOf,
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

function toAnswer(reply: CompleteResponse, context: Context): Response {
  return toResponse(reply, new Headers(), context.req.method)
}

const answerAsHono: ErrorHandler = (error, context) => {
  if ('getResponse' in error) return error.getResponse()
  console.error(error)
  return context.text('Internal Server Error', 500)
}
