import type { FastifyInstance, FastifyReply, FastifyRequest, RouteGenericInterface } from 'fastify'
import { isSessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import { NEVER_STORED } from '../transport/caching.ts'
import type { HttpExchange, HttpRequest, ReplySink, RouteReply } from '../transport/exchange.ts'
import { checkSessionOptions, isAnswer } from '../transport/get-session.ts'
import type { SessionOptions } from '../transport/get-session.ts'
import { typedByOptions } from '../transport/http-sessions.ts'
import type { CreateNewSession, GetSession, HttpSessions, RefreshSession } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import type { Cookie } from '../transport/set-cookie.ts'
import { FoundSessions } from './found-sessions.ts'
import { keepTokensPrivate, nodeExchange } from './node-exchange.ts'
import { fastifyRules } from './options.ts'
import { withCookies } from './response-cookies.ts'

/** What the adapter for Fastify may be told. */
export interface FastifyOptions {
  /**
   * Who sent a request. With `trustProxy` set rightly, `request => request.ip` is Fastify's own answer. Default: the
   * peer of the connection.
   */
  readonly clientIp?: (request: FastifyRequest) => string | null
  /** Hears of every error of Keyturn that was answered with 500 or 503. Default: the request's log. */
  readonly onError?: (error: unknown, request: FastifyRequest) => void
}

/**
 * What a handler within `requireSession` finds on its request. The type travels with the handler and not by
 * augmenting Fastify's module, so that two applications in one program may have sessions of different types.
 */
export interface WithSession<Payload extends object, Info extends object> {
  readonly session: Session<Payload, Info>
}

/** A handler that needs a session. */
export type FastifySessionHandler<Route extends RouteGenericInterface, Payload extends object, Info extends object> = (
  request: FastifyRequest<Route> & WithSession<Payload, Info>,
  reply: FastifyReply<Route>,
) => unknown

/** Sessions for Fastify 5. */
export interface FastifySessions<Payload extends object, Info extends object> {
  readonly createNewSession: CreateNewSession<FastifyTarget, Payload, Info>
  readonly getSession: GetSession<FastifyTarget, Payload, Info>
  readonly refreshSession: RefreshSession<FastifyTarget, Payload, Info>
  /**
   * The plugin that serves Keyturn's own routes, refresh, sign-out and key set, and decorates requests with
   * `session`: `app.register(sessions.plugin)`, before your routes.
   */
  readonly plugin: (app: FastifyInstance) => Promise<void>
  /**
   * Makes a handler whose request has a `session`; without one the error goes to the error handler. It answers CORS
   * preflights itself.
   */
  requireSession<Route extends RouteGenericInterface = RouteGenericInterface>(
    handler: FastifySessionHandler<Route, Payload, Info>,
    options?: SessionOptions<Payload>,
  ): (request: FastifyRequest<Route>, reply: FastifyReply<Route>) => Promise<unknown>
  /**
   * Makes a hook, for `onRequest` or `preHandler`, that lets only requests with a session pass, whatever their method.
   * It answers CORS preflights itself.
   */
  requireSession(options?: SessionOptions<Payload>): FastifyHook
  /** The session that `requireSession` found. @throws GeneralError (`MISUSE`) if it was not asked. */
  sessionOf(request: FastifyRequest): Session<Payload, Info>
  /**
   * Makes the error handler that turns Keyturn's errors into answers: `app.setErrorHandler(sessions.errorHandler())`.
   * All other errors go to `otherwise`; the default is Fastify's own handler.
   */
  errorHandler(otherwise?: FastifyErrorHandler): FastifyErrorHandler
  /**
   * Makes the hook that writes CORS headers for the trusted origins and answers preflights:
   * `app.addHook('onRequest', sessions.cors())`, before the plugin.
   */
  cors(): FastifyHook
}

type FastifyTarget = [request: FastifyRequest, reply: FastifyReply]
/** A hook of a request. */
export type FastifyHook = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>
/** An error handler. */
export type FastifyErrorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply) => unknown

/** Gives sessions the shape of Fastify. */
export function fastifySessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: FastifyOptions = {},
): Rest & FastifySessions<Payload, Info> {
  checkOptions('fastifySessions', fastifyRules, options)
  const { http } = sessions
  const { clientIp } = options
  const report = options.onError ?? ((error: unknown, { log }: FastifyRequest): void => log.error(error))
  const found = new FoundSessions<object, Payload, Info>()

  function requestOf(request: FastifyRequest, reply: FastifyReply): HttpRequest {
    const ip = clientIp === undefined ? undefined : (): string | null => clientIp(request)
    return nodeExchange(request.raw, reply.raw, ip, request.originalUrl).request
  }

  const exchangeOf = (request: FastifyRequest, reply: FastifyReply): HttpExchange => (
    { request: requestOf(request, reply), reply: new FastifyReplySink(reply) }
  )

  function requireSession<Route extends RouteGenericInterface = RouteGenericInterface>(
    handler: FastifySessionHandler<Route, Payload, Info>,
    sessionOptions?: SessionOptions<Payload>,
  ): (request: FastifyRequest<Route>, reply: FastifyReply<Route>) => Promise<unknown>
  function requireSession(sessionOptions?: SessionOptions<Payload>): FastifyHook
  function requireSession(
    first: FastifySessionHandler<RouteGenericInterface, Payload, Info> | SessionOptions<Payload> = {},
    second: SessionOptions<Payload> = {},
  ): (request: FastifyRequest, reply: FastifyReply) => Promise<unknown> {
    const [sessionOptions, handler] = typeof first === 'function' ? [second, first] : [first, goOn]
    checkSessionOptions(sessionOptions)
    return async (request, reply) => {
      const admitted = await http.guard(exchangeOf(request, reply), sessionOptions)
      if (isAnswer(admitted)) return send(reply, admitted)
      found.set(request.raw, admitted)
      return handler(Object.assign(request, { session: admitted }), reply)
    }
  }

  async function plugin(app: FastifyInstance): Promise<void> {
    app.decorateRequest('session', null)
    app.addHook('onRequest', async (request, reply) => {
      let own: RouteReply | null
      try {
        own = await http.handleSessionRoute(exchangeOf(request, reply))
      } catch (error) {
        return answerError(error, request, reply)
      }
      return own === null ? undefined : send(reply, own)
    })
  }

  function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    if (!isSessionError(error)) throw error
    const own = http.errorReply(error, requestOf(request, reply))
    if (own.status >= 500) report(error, request)
    return send(reply, own)
  }

  const adapter: FastifySessions<Payload, Info> = {
    createNewSession: (request, reply, ...rest) => http.createNewSession(exchangeOf(request, reply), ...rest),
    getSession: typedByOptions((request, reply, argument) => http.getSession(exchangeOf(request, reply), argument)),
    refreshSession: (request, reply) => http.refreshSession(exchangeOf(request, reply)),
    // What `fastify-plugin` would say: the hooks are for the application, not for a part of it.
    plugin: Object.assign(plugin, {
      [Symbol.for('skip-override')]: true,
      [Symbol.for('fastify.display-name')]: 'keyturn',
    }),
    requireSession,
    sessionOf: request => found.get(request.raw),
    errorHandler: (otherwise = passOn) => (error, request, reply) => (
      isSessionError(error) ? answerError(error, request, reply) : otherwise(error, request, reply)
    ),
    cors: () => async (request, reply) => {
      const preflight = http.applyCors(exchangeOf(request, reply))
      return preflight === null ? undefined : send(reply, preflight)
    },
  }
  return { ...sessions, ...adapter }
}

/** A hook that resolves to nothing lets the request pass. */
const goOn = (): void => undefined

/** What is thrown by an error handler goes to the one around it, and at last to Fastify's. */
const passOn: FastifyErrorHandler = error => {
  throw error
}

function send(reply: FastifyReply, { status, headers, body }: RouteReply): FastifyReply {
  for (const [name, value] of headers) reply.header(name, value)
  return reply.code(status).send(status === 204 || status === 304 ? undefined : body)
}

/** Shows a reply of Fastify, which keeps its headers apart from the response of node:http until it sends them. */
class FastifyReplySink implements ReplySink {
  readonly #reply: FastifyReply

  constructor(reply: FastifyReply) {
    this.#reply = reply
  }

  get closed(): boolean {
    return this.#reply.sent || this.#reply.raw.headersSent
  }

  get(name: string): string | null {
    const value = this.#reply.getHeader(name)
    return value === undefined ? null : Array.isArray(value) ? value.join(', ') : String(value)
  }

  set(name: string, value: string): void {
    this.#reply.header(name, value)
  }

  remove(name: string): void {
    this.#reply.removeHeader(name)
  }

  setCookies(cookies: readonly Cookie[]): void {
    const reply = this.#reply
    const lines = withCookies(reply, reply.getHeader('set-cookie'), cookies)
    // A second `header` would add to the first.
    reply.removeHeader('set-cookie').header('set-cookie', lines)
  }

  forbidCaching(): void {
    this.#reply.header('cache-control', NEVER_STORED)
    keepTokensPrivate(this.#reply.raw)
  }
}
