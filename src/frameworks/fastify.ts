import type { FastifyInstance, FastifyReply, FastifyRequest, RouteGenericInterface } from 'fastify'
import { GeneralError, isSessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import { explainOldVersion } from '../base/supported-version.ts'
import type { ConsoleOptions } from '../transport/console-port.ts'
import { AdapterExchange } from '../transport/exchange.ts'
import type { HttpExchange, HttpRequest } from '../transport/exchange.ts'
import type { RequireSessionOptions } from '../transport/get-session-options.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import { defineAdapter } from './define-adapter.ts'
import type { AdapterCalls } from './define-adapter.ts'
import { FastifyResponseWriter, sendFastifyReply } from './fastify-reply.ts'
import { checkGuardArguments, checkOtherwise, mustBeCalled } from './must-be-called.ts'
import { nodeRequest } from './node-exchange.ts'
import { fastifyRules } from './options.ts'

/** Options of `fastifySessions`. */
export interface FastifyOptions {
  /**
   * Returns the IP address of the client, or null. If `trustProxy` is set correctly, use `request => request.ip`.
   * Default: the peer of the connection.
   */
  readonly clientIp?: (request: FastifyRequest) => string | null
  /**
   * Called with every error of Keyturn that is answered with 500 or 503, except a refresh that must wait
   * (`REFRESH_BUSY`). Default: the request's log.
   */
  readonly onError?: (error: unknown, request: FastifyRequest) => void
}

/**
 * A handler that needs a session, and gets it as an argument: `request.session` is the name of other plugins, such as
 * @fastify/session.
 */
export type FastifySessionHandler<Route extends RouteGenericInterface, Payload extends object, Info extends object> = (
  request: FastifyRequest<Route>,
  reply: FastifyReply<Route>,
  session: Session<Payload, Info>,
) => unknown

type FastifyTarget = [request: FastifyRequest, reply: FastifyReply]
/** A hook of a request. It resolves to undefined if the request may pass. */
export type FastifyHook = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>
/** An error handler. */
export type FastifyErrorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply) => unknown
/** A plugin. */
export type FastifySessionsPlugin = (app: FastifyInstance) => Promise<void>

/** Sessions for Fastify 5. Its middleware are hooks. */
export interface FastifySessions<Payload extends object, Info extends object>
  extends Omit<AdapterCalls<FastifyTarget, FastifyHook, Payload, Info>, 'sessionRoutes' | 'console'> {
  /**
   * Returns the plugin that serves Keyturn's own routes (refresh, sign-out and key set):
   * `app.register(sessions.sessionRoutes())`, before your routes. It decorates nothing.
   */
  sessionRoutes(): FastifySessionsPlugin
  /**
   * Returns the plugin that serves the console, below `options.path`: `app.register(sessions.console({ authorize }))`.
   */
  console(options: ConsoleOptions<FastifyRequest>): FastifySessionsPlugin
  /**
   * Returns a handler that is called with the session. Without a session, the error goes to the error handler. It
   * answers CORS preflights that reach it.
   */
  requireSession<Route extends RouteGenericInterface = RouteGenericInterface>(
    handler: FastifySessionHandler<Route, Payload, Info>,
    options?: RequireSessionOptions<Payload>,
  ): (request: FastifyRequest<Route>, reply: FastifyReply<Route>) => Promise<unknown>
  /**
   * Returns a hook, for `onRequest` or `preHandler`, that lets only requests with a session pass, whatever their
   * method. It answers CORS preflights that reach it.
   */
  requireSession(options?: RequireSessionOptions<Payload>): FastifyHook
  /**
   * Returns the error handler that answers Keyturn's errors: `app.setErrorHandler(sessions.errorHandler())`. All other
   * errors go to `otherwise`; the default is Fastify's own handler.
   */
  errorHandler(otherwise?: FastifyErrorHandler): FastifyErrorHandler
}

/**
 * Adds the calls for Fastify to `sessions`, which `createSessions` returns.
 * @throws GeneralError (`MISUSE`) that names an invalid option.
 * @example
 * const sessions = fastifySessions(createSessions({ origin: 'https://app.example.com' }))
 */
export function fastifySessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: FastifyOptions = {},
): Rest & FastifySessions<Payload, Info> {
  checkOptions('fastifySessions', fastifyRules, options)
  const { clientIp } = options

  function requestOf(request: FastifyRequest): HttpRequest {
    const ip = clientIp === undefined ? undefined : (): string | null => clientIp(request)
    return nodeRequest(request.raw, ip, request.originalUrl)
  }

  const exchangeOf = (request: FastifyRequest, reply: FastifyReply): HttpExchange => (
    new AdapterExchange(requestOf(request), new FastifyResponseWriter(reply))
  )

  const { calls, guard, answer } = defineAdapter<FastifyTarget, FastifyHook, Payload, Info>(sessions.http, {
    call: use => (request, reply, ...rest) => use(exchangeOf(request, reply), ...rest),
    request: requestOf,
    body: ({ raw }) => raw,
    middleware: step => async (request, reply) => {
      const own = await step(exchangeOf(request, reply), request)
      return own === null ? undefined : sendFastifyReply(reply, own)
    },
    onError: options.onError ?? ((error, { log }) => log.error(error)),
  })

  function requireSession<Route extends RouteGenericInterface = RouteGenericInterface>(
    handler: FastifySessionHandler<Route, Payload, Info>,
    sessionOptions?: RequireSessionOptions<Payload>,
  ): (request: FastifyRequest<Route>, reply: FastifyReply<Route>) => Promise<unknown>
  function requireSession(sessionOptions?: RequireSessionOptions<Payload>): FastifyHook
  function requireSession(
    first?: FastifySessionHandler<RouteGenericInterface, Payload, Info> | RequireSessionOptions<Payload>,
    second?: RequireSessionOptions<Payload>,
    ...others: readonly unknown[]
  ): (request: FastifyRequest, reply: FastifyReply) => Promise<unknown> {
    checkGuardArguments([first, second, ...others])
    const [sessionOptions, handler] = typeof first === 'function' ? [second, first] : [first, goOn]
    const step = guard(sessionOptions)
    return async (request, reply) => {
      const own = await step(exchangeOf(request, reply), request)
      if (own !== null) return sendFastifyReply(reply, own)
      return handler(request, reply, calls.sessionOf(request))
    }
  }

  const adapter: FastifySessions<Payload, Info> = {
    ...calls,
    requireSession,
    sessionRoutes: mustBeCalled('sessionRoutes', () => toPlugin(calls.sessionRoutes())),
    console: (...given) => toPlugin(calls.console(...given)),
    errorHandler(...given) {
      checkOtherwise('errorHandler', given)
      const [otherwise = passOn] = given
      return (error, request, reply) => (
        isSessionError(error) ? sendFastifyReply(reply, answer(error, request)) : otherwise(error, request, reply)
      )
    },
  }
  return { ...sessions, ...adapter }
}

/** The plugin that runs a hook for every request, also for one without a route. */
function toPlugin(serve: FastifyHook): FastifySessionsPlugin {
  const plugin: FastifySessionsPlugin = async app => {
    const problem = explainOldVersion('fastify', app.version)
    if (problem !== null) throw new GeneralError('MISUSE', problem)
    app.addHook('onRequest', serve)
  }
  // What `fastify-plugin` sets: the hook applies to the whole application, not to one plugin's scope.
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'keyturn',
  })
}

/** A hook that resolves to undefined lets the request pass. */
const goOn = (): void => undefined

/** An error that an error handler throws goes to the next outer error handler, and finally to Fastify's. */
const passOn: FastifyErrorHandler = error => {
  throw error
}
