import type { Context, Middleware } from 'koa'
import { isSessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import type { HttpExchange, CompleteResponse } from '../transport/exchange.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import { defineAdapter } from './define-adapter.ts'
import type { AdapterCalls } from './define-adapter.ts'
import { mustBeCalled } from './must-be-called.ts'
import { nodeExchange } from './node-exchange.ts'
import { koaRules } from './options.ts'

/** What the adapter for Koa may be told. */
export interface KoaOptions {
  /**
   * Who sent a request. With `app.proxy` set rightly, `context => context.ip` is Koa's own answer. Default: the peer of
   * the connection.
   */
  readonly clientIp?: (context: Context) => string | null
  /**
   * Hears of every error of Keyturn that was answered with 500 or 503, but not of a refresh that was told to
   * wait (`REFRESH_BUSY`). Default: `console.error`.
   */
  readonly onError?: (error: unknown, context: Context) => void
}

type KoaTarget = [context: Context]

/** Sessions for Koa 3. Mount `sessionRoutes` at the root, before your routes. */
export interface KoaSessions<Payload extends object, Info extends object>
  extends AdapterCalls<KoaTarget, Middleware, Payload, Info> {
  /**
   * Makes the middleware that turns Keyturn's errors of everything after it into answers and leaves others alone. Mount
   * it before what may throw them.
   */
  errorHandler(): Middleware
}

/** Gives sessions the shape of Koa. */
export function koaSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: KoaOptions = {},
): Rest & KoaSessions<Payload, Info> {
  checkOptions('koaSessions', koaRules, options)
  const { clientIp } = options

  // A mounted middleware sees a shorter path; the original one is what the client asked for.
  function exchangeOf(context: Context): HttpExchange {
    const ip = clientIp === undefined ? undefined : (): string | null => clientIp(context)
    return nodeExchange(context.req, context.res, ip, context.originalUrl)
  }

  const { calls, answer } = defineAdapter<KoaTarget, Middleware, Payload, Info>(sessions.http, {
    call: use => (context, ...rest) => use(exchangeOf(context), ...rest),
    request: context => exchangeOf(context).request,
    middleware: step => async (context, next) => {
      const reply = await step(exchangeOf(context), context)
      if (reply === null) await next()
      else send(context, reply)
    },
    onError: options.onError,
  })

  const adapter: KoaSessions<Payload, Info> = {
    ...calls,
    errorHandler: mustBeCalled('errorHandler', () => async (context, next) => {
      try {
        await next()
      } catch (error) {
        if (!isSessionError(error) || context.headerSent) throw error
        send(context, answer(error, context))
      }
    }),
  }
  return { ...sessions, ...adapter }
}

function send(context: Context, reply: CompleteResponse): void {
  for (const [name, value] of reply.headers) context.set(name, value)
  context.status = reply.status
  context.body = reply.body
}
