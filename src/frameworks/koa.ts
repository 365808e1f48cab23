import type { Context, Middleware } from 'koa'
import { isSessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import { corsHeaders } from '../transport/cors.ts'
import type { HttpExchange, StreamedResponse } from '../transport/exchange.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import { defineAdapter } from './define-adapter.ts'
import type { AdapterCalls } from './define-adapter.ts'
import { mustBeCalled } from './must-be-called.ts'
import { nodeExchange } from './node-exchange.ts'
import { koaRules } from './options.ts'

/** Options of `koaSessions`. */
export interface KoaOptions {
  /**
   * Returns the IP address of the client, or null. If `app.proxy` is set correctly, use `context => context.ip`.
   * Default: the peer of the connection.
   */
  readonly clientIp?: (context: Context) => string | null
  /**
   * Called with every error of Keyturn that is answered with 500 or 503, except a refresh that must wait
   * (`REFRESH_BUSY`). Default: `console.error`.
   */
  readonly onError?: (error: unknown, context: Context) => void
}

type KoaTarget = [context: Context]

/** Sessions for Koa 3. Mount `sessionRoutes` at the root, before your routes. */
export interface KoaSessions<Payload extends object, Info extends object>
  extends AdapterCalls<KoaTarget, Middleware, Payload, Info> {
  /**
   * Returns the middleware that answers the errors of Keyturn that later middleware throws. It rethrows other errors,
   * whose responses keep the headers for CORS and of a new session. Mount it before that middleware.
   */
  errorHandler(): Middleware
}

/**
 * Adds the calls for Koa to `sessions`, which `createSessions` returns.
 * @throws GeneralError (`MISUSE`) that names an invalid option.
 * @example
 * const sessions = koaSessions(createSessions({ origin: 'https://app.example.com' }))
 */
export function koaSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: KoaOptions = {},
): Rest & KoaSessions<Payload, Info> {
  checkOptions('koaSessions', koaRules, options)
  const { clientIp } = options

  // A mounted middleware sees the path without its prefix; `originalUrl` is what the client sent.
  function exchangeOf(context: Context): HttpExchange {
    const ip = clientIp === undefined ? undefined : (): string | null => clientIp(context)
    return nodeExchange(context.req, context.res, ip, context.originalUrl)
  }

  const { calls, answer } = defineAdapter<KoaTarget, Middleware, Payload, Info>(sessions.http, {
    call: use => (context, ...rest) => use(exchangeOf(context), ...rest),
    request: context => exchangeOf(context).request,
    // Body parsers of Koa put what they make of the body into its own request.
    body: ({ req, request }) => 'body' in request && request.body !== undefined ? { parsed: request.body } : req,
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
        if (isSessionError(error) && !context.headerSent) return send(context, answer(error, context))
        keepHeaders(context)
        throw error
      }
    }),
  }
  return { ...sessions, ...adapter }
}

/**
 * For any other error, Koa removes all headers before it answers. Those stay that a page needs to read the answer
 * (CORS), and what tells the client of a new session (L-40). They are not copied to `error.headers`: an application
 * may throw the same error for several clients.
 */
function keepHeaders(context: Context): void {
  const { onerror, res } = context
  context.onerror = error => {
    const { removeHeader } = res
    res.removeHeader = name => {
      if (!kept.has(name) && !name.startsWith('access-control-')) removeHeader.call(res, name)
    }
    try {
      onerror.call(context, error)
    } finally {
      res.removeHeader = removeHeader
    }
  }
}

const kept: ReadonlySet<string> = new Set([...corsHeaders.exposedHeaders, 'cache-control', 'set-cookie', 'vary'])

function send(context: Context, reply: StreamedResponse): void {
  for (const [name, value] of reply.headers) context.set(name, value)
  context.status = reply.status
  context.body = reply.body
}
