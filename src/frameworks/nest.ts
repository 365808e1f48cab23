import type { ArgumentsHost, CanActivate, Catch, createParamDecorator, ExceptionFilter } from '@nestjs/common'
import type { Response } from 'express'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { GeneralError, SessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import type { ConsoleOptions } from '../transport/console-port.ts'
import type { CorsOptions } from '../transport/cors.ts'
import { AdapterExchange } from '../transport/exchange.ts'
import type { HttpExchange, HttpRequest, StreamedResponse } from '../transport/exchange.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import { defineAdapter } from './define-adapter.ts'
import type { AdapterCalls } from './define-adapter.ts'
import { FastifyResponseWriter, sendFastifyReply } from './fastify-reply.ts'
import { mustBeCalled } from './must-be-called.ts'
import { NodeResponseWriter, nodeRequest, sendReply } from './node-exchange.ts'
import { nodeSessions } from './node.ts'
import { nestRules } from './options.ts'

export type { ReadonlySession, Session } from '../transport/session.ts'

/** Options of `nestSessions`, and the two functions of `@nestjs/common` that it needs. */
export interface NestOptions {
  /** `Catch` of `@nestjs/common`. */
  readonly Catch: typeof Catch
  /** `createParamDecorator` of `@nestjs/common`. */
  readonly createParamDecorator: typeof createParamDecorator
  /**
   * Returns the IP address of the client, or null. Needed behind a trusted proxy. Default: the peer of the connection.
   */
  readonly clientIp?: (request: IncomingMessage) => string | null
  /**
   * Finds request and response where a handler is not one of HTTP; null if there are none. Default: `req` and `res` of
   * the context of GraphQL.
   */
  readonly findRequest?: (host: ArgumentsHost) => readonly [request: NestRequest, response: NestResponse] | null
  /**
   * Called with every error of Keyturn that is answered with 500 or 503, except a refresh that must wait
   * (`REFRESH_BUSY`). Default: `console.error`.
   */
  readonly onError?: (error: unknown) => void
}

/** A request as handlers get it, on either platform of Nest, or as middleware and `authorize` of the console do. */
export type NestRequest = IncomingMessage | FastifyRequest
/** A response as handlers get it, on either platform of Nest. */
export type NestResponse = Response | FastifyReply
type NestTarget = [request: NestRequest, response: NestResponse]

/** A middleware for `app.use`. Both platforms call it with the objects of node:http. */
export type NestMiddleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => unknown

/** Sessions for Nest on Express or on Fastify. `requireSession` returns a guard. */
export interface NestSessions<Payload extends object, Info extends object>
  extends Omit<AdapterCalls<NestTarget, CanActivate, Payload, Info>, 'sessionRoutes' | 'cors' | 'console'> {
  /** Decorates a parameter of a handler behind the guard: `me(@CurrentSession() session: Session<Claims, Info>)`. */
  readonly CurrentSession: () => ParameterDecorator
  /** Returns the exception filter that answers Keyturn's errors: `app.useGlobalFilters(sessions.errorHandler())`. */
  errorHandler(): ExceptionFilter
  /** Returns the middleware for refresh, sign-out and key set: `app.use(sessions.sessionRoutes())`. */
  sessionRoutes(): NestMiddleware
  /** Returns the middleware that writes CORS headers for the trusted origins and answers preflights. */
  cors(options?: CorsOptions): NestMiddleware
  /**
   * Returns the middleware that serves the console, below `options.path`: `app.use(sessions.console({ authorize }))`.
   */
  console(options: ConsoleOptions<IncomingMessage>): NestMiddleware
}

/**
 * Adds the calls for Nest to `sessions`, which `createSessions` returns.
 * @throws GeneralError (`MISUSE`) that names an invalid option.
 * @example
 * const sessions = nestSessions(createSessions({ origin: 'https://app.example.com' }), { Catch, createParamDecorator })
 */
export function nestSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: NestOptions,
): Rest & NestSessions<Payload, Info> {
  checkOptions('nestSessions', nestRules, options)
  const { Catch, createParamDecorator, clientIp, onError, findRequest = findInGraphql } = options
  const { http } = sessions
  const { sessionRoutes, cors, console } = nodeSessions({ http }, {
    ...onError === undefined ? {} : { onError }, ...clientIp === undefined ? {} : { clientIp },
  })

  function targetOf(host: ArgumentsHost): NestTarget {
    const type = host.getType<string>()
    if (type === 'http') {
      const context = host.switchToHttp()
      return [context.getRequest<NestRequest>(), context.getResponse<NestResponse>()]
    }
    const found = findRequest(host)
    if (found !== null) return [found[0], found[1]]
    throw new GeneralError('MISUSE', `the guard found no HTTP request in a context of type "${type}". For GraphQL, put `
      + '`req` and `res` into its context, or set the option findRequest; guard the handshakes of a gateway with '
      + 'wsSessions or socketIoSessions')
  }

  function requestOf(request: NestRequest): HttpRequest {
    return 'raw' in request ? nodeRequest(request.raw, clientIp, request.originalUrl) : nodeRequest(request, clientIp)
  }

  function exchangeOf(request: NestRequest, response: NestResponse): HttpExchange {
    const reply = 'raw' in response ? new FastifyResponseWriter(response) : new NodeResponseWriter(response)
    return new AdapterExchange(requestOf(request), reply)
  }

  const { calls, answer } = defineAdapter<NestTarget, CanActivate, Payload, Info>(http, {
    call: use => (request, response, ...rest) => use(exchangeOf(request, response), ...rest),
    request: requestOf,
    middleware: step => ({
      async canActivate(context) {
        const [request, response] = targetOf(context)
        const reply = await step(exchangeOf(request, response), request)
        if (reply === null) return true
        send(request, response, reply)
        // Never settles: whatever it resolved to or rejected with, Nest would answer a second time.
        return new Promise(() => undefined)
      },
    }),
    onError,
  })

  class SessionErrorFilter implements ExceptionFilter {
    catch(error: unknown, host: ArgumentsHost): unknown {
      // Others answer in their own way: GraphQL puts what the filter returns into the `errors` of its response.
      if (host.getType<string>() !== 'http') return error
      const [request, response] = targetOf(host)
      if (!('raw' in response) && response.headersSent) response.destroy()
      else send(request, response, answer(error, request))
      return undefined
    }
  }
  Catch(SessionError)(SessionErrorFilter)

  const adapter: NestSessions<Payload, Info> = {
    ...calls,
    CurrentSession: createParamDecorator((_, context) => calls.sessionOf(targetOf(context)[0])),
    errorHandler: mustBeCalled('errorHandler', () => new SessionErrorFilter()),
    sessionRoutes,
    cors,
    console,
  }
  return { ...sessions, ...adapter }
}

function send(request: NestRequest, response: NestResponse, reply: StreamedResponse): void {
  if ('raw' in response) sendFastifyReply(response, reply)
  else sendReply(request, response, reply)
}

/** The request and response in the context of GraphQL, the third argument of its resolvers, as Nest puts them there. */
function findInGraphql(host: ArgumentsHost): NestTarget | null {
  if (host.getType<string>() !== 'graphql') return null
  const context = host.getArgByIndex<{ req?: NestRequest; res?: NestResponse } | undefined>(2)
  return context?.req === undefined || context.res === undefined ? null : [context.req, context.res]
}
