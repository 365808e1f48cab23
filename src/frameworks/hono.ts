import type { Context, ErrorHandler, MiddlewareHandler } from 'hono'
import { GeneralError, isSessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import type { HttpExchange, RouteReply } from '../transport/exchange.ts'
import { checkSessionOptions, isAnswer } from '../transport/get-session.ts'
import type { SessionOptions, SessionReading } from '../transport/get-session.ts'
import { typedByOptions } from '../transport/http-sessions.ts'
import type { CreateNewSession, GetSession, HttpSessions, RefreshSession } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import { honoRules } from './options.ts'
import { toResponse, WebReply, WebRequest, withHeaders } from './web-exchange.ts'

/** What the adapter for Hono may be told. */
export interface HonoOptions {
  /**
   * Who sent a request; `context => getConnInfo(context).remote.address ?? null` is Hono's own answer. Default:
   * unknown.
   */
  readonly clientIp?: (context: Context) => string | null
  /** Hears of every error of Keyturn that was answered with 500 or 503. Default: `console.error`. */
  readonly onError?: (error: unknown, context: Context) => void
}

/** What handlers after `requireSession` find in `context.var`. */
export interface HonoEnvironment<Payload extends object, Info extends object> {
  Variables: { session: Session<Payload, Info> }
}

/** Sessions for Hono 4. */
export interface HonoSessions<Payload extends object, Info extends object> {
  readonly createNewSession: CreateNewSession<HonoTarget, Payload, Info>
  readonly getSession: GetSession<HonoTarget, Payload, Info>
  readonly refreshSession: RefreshSession<HonoTarget, Payload, Info>
  /** Verifies where no response can be written. Changes nothing. */
  readSession(context: Context): Promise<SessionReading<Payload>>
  /**
   * Makes the middleware that serves Keyturn's own routes, refresh, sign-out and key set, and brings the tokens into
   * every response. The other calls need it: `app.use(sessions.middleware())`, before your routes.
   */
  middleware(): MiddlewareHandler
  /**
   * Makes the error handler that turns Keyturn's errors into answers: `app.onError(sessions.errorHandler())`.
   * `otherwise` answers all other errors; the default does what Hono does.
   */
  errorHandler(otherwise?: ErrorHandler): ErrorHandler
  /**
   * Makes a middleware that lets only requests with a session pass, whatever their method: it is in
   * `context.var.session`. It answers CORS preflights itself.
   */
  requireSession(options?: SessionOptions<Payload>): MiddlewareHandler<HonoEnvironment<Payload, Info>>
  /** Makes the middleware that writes CORS headers for the trusted origins and answers preflights. Use it first. */
  cors(): MiddlewareHandler
}

type HonoTarget = [context: Context]

/** Gives sessions the shape of Hono. */
export function honoSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: HonoOptions = {},
): Rest & HonoSessions<Payload, Info> {
  checkOptions('honoSessions', honoRules, options)
  const { http } = sessions
  const { clientIp } = options
  const report = options.onError ?? ((error: unknown): void => console.error('keyturn: a request failed:', error))
  // A handler writes long before there is a response to write to.
  const replies = new WeakMap<Context, WebReply>()

  const requestOf = (context: Context): WebRequest => (
    new WebRequest(context.req.raw, () => clientIp?.(context) ?? null)
  )

  function exchangeOf(context: Context): HttpExchange {
    const reply = replies.get(context)
    if (reply === undefined) throw new GeneralError('MISUSE', 'app.use(sessions.middleware()) must come first')
    return { request: requestOf(context), reply }
  }

  /** Runs what is within the outermost middleware of ours, and adds what was written to the response it made. */
  async function within(context: Context, run: () => Promise<Response | undefined>): Promise<Response | undefined> {
    if (replies.has(context)) return run()
    const sink = new Headers()
    const reply = new WebReply(sink)
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

  function toAnswer(reply: RouteReply, context: Context): Response {
    return toResponse(reply, new Headers(), context.req.method)
  }

  const adapter: HonoSessions<Payload, Info> = {
    createNewSession: async (context, ...rest) => http.createNewSession(exchangeOf(context), ...rest),
    getSession: typedByOptions(async (context, argument) => http.getSession(exchangeOf(context), argument)),
    refreshSession: async context => http.refreshSession(exchangeOf(context)),
    readSession: context => http.readSession(requestOf(context)),
    middleware: () => (context, next) => within(context, async () => {
      const own = await http.handleSessionRoute(exchangeOf(context))
      if (own !== null) return toAnswer(own, context)
      await next()
      return undefined
    }),
    errorHandler: (otherwise = answerAsHono) => (error, context) => {
      if (!isSessionError(error)) return otherwise(error, context)
      const reply = http.errorReply(error, requestOf(context))
      if (reply.status >= 500) report(error, context)
      return toAnswer(reply, context)
    },
    requireSession(sessionOptions = {}) {
      checkSessionOptions(sessionOptions)
      return async (context, next) => {
        const admitted = await http.guard(exchangeOf(context), sessionOptions)
        if (isAnswer(admitted)) return toAnswer(admitted, context)
        context.set('session', admitted)
        return next()
      }
    },
    cors: () => (context, next) => within(context, async () => {
      const preflight = http.applyCors(exchangeOf(context))
      if (preflight !== null) return toAnswer(preflight, context)
      await next()
      return undefined
    }),
  }
  return { ...sessions, ...adapter }
}

const answerAsHono: ErrorHandler = (error, context) => {
  if ('getResponse' in error) return error.getResponse()
  console.error(error)
  return context.text('Internal Server Error', 500)
}
