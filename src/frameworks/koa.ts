import type { Context, Middleware } from 'koa'
import { isSessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import type { HttpExchange, RouteReply } from '../transport/exchange.ts'
import { checkSessionOptions, isAnswer } from '../transport/get-session.ts'
import type { SessionOptions } from '../transport/get-session.ts'
import { typedByOptions } from '../transport/http-sessions.ts'
import type { CreateNewSession, GetSession, HttpSessions, RefreshSession } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import { FoundSessions } from './found-sessions.ts'
import { nodeExchange } from './node-exchange.ts'
import { koaRules } from './options.ts'

/** What the adapter for Koa may be told. */
export interface KoaOptions {
  /**
   * Who sent a request. With `app.proxy` set rightly, `context => context.ip` is Koa's own answer. Default: the peer of
   * the connection.
   */
  readonly clientIp?: (context: Context) => string | null
  /** Hears of every error of Keyturn that was answered with 500 or 503. Default: `console.error`. */
  readonly onError?: (error: unknown, context: Context) => void
}

/** Sessions for Koa 3. */
export interface KoaSessions<Payload extends object, Info extends object> {
  readonly createNewSession: CreateNewSession<KoaTarget, Payload, Info>
  readonly getSession: GetSession<KoaTarget, Payload, Info>
  readonly refreshSession: RefreshSession<KoaTarget, Payload, Info>
  /**
   * Makes the middleware for Keyturn's own routes, refresh, sign-out and key set, that also turns Keyturn's errors of
   * everything after it into answers. Mount it at the root, before your routes.
   */
  middleware(): Middleware
  /**
   * Makes a middleware that lets only requests with a session pass, whatever their method; the next ones call
   * `sessionOf`. It answers CORS preflights itself.
   */
  requireSession(options?: SessionOptions<Payload>): Middleware
  /** The session that `requireSession` found. @throws GeneralError (`MISUSE`) if it was not asked. */
  sessionOf(context: Context): Session<Payload, Info>
  /** Makes the middleware that writes CORS headers for the trusted origins and answers preflights. Mount it first. */
  cors(): Middleware
}

type KoaTarget = [context: Context]

/** Gives sessions the shape of Koa. */
export function koaSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: KoaOptions = {},
): Rest & KoaSessions<Payload, Info> {
  checkOptions('koaSessions', koaRules, options)
  const { http } = sessions
  const { clientIp } = options
  const report = options.onError ?? ((error: unknown): void => console.error('keyturn: a request failed:', error))
  const found = new FoundSessions<object, Payload, Info>()

  // A mounted middleware sees a shorter path; the original one is what the client asked for.
  function exchangeOf(context: Context): HttpExchange {
    const ip = clientIp === undefined ? undefined : (): string | null => clientIp(context)
    return nodeExchange(context.req, context.res, ip, context.originalUrl)
  }

  function answerError(error: unknown, context: Context): void {
    if (!isSessionError(error) || context.headerSent) throw error
    const reply = http.errorReply(error, exchangeOf(context).request)
    if (reply.status >= 500) report(error, context)
    send(context, reply)
  }

  const adapter: KoaSessions<Payload, Info> = {
    createNewSession: (context, ...rest) => http.createNewSession(exchangeOf(context), ...rest),
    getSession: typedByOptions((context, argument) => http.getSession(exchangeOf(context), argument)),
    refreshSession: context => http.refreshSession(exchangeOf(context)),
    middleware: () => async (context, next) => {
      try {
        const reply = await http.handleSessionRoute(exchangeOf(context))
        if (reply === null) await next()
        else send(context, reply)
      } catch (error) {
        answerError(error, context)
      }
    },
    requireSession(sessionOptions = {}) {
      checkSessionOptions(sessionOptions)
      return async (context, next) => {
        const admitted = await http.guard(exchangeOf(context), sessionOptions)
        if (isAnswer(admitted)) return send(context, admitted)
        found.set(context.req, admitted)
        await next()
      }
    },
    sessionOf: context => found.get(context.req),
    cors: () => async (context, next) => {
      const reply = http.applyCors(exchangeOf(context))
      if (reply === null) await next()
      else send(context, reply)
    },
  }
  return { ...sessions, ...adapter }
}

function send(context: Context, reply: RouteReply): void {
  for (const [name, value] of reply.headers) context.set(name, value)
  context.status = reply.status
  context.body = reply.body
}
