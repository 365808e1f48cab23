import type { ArgumentsHost, CanActivate, Catch, createParamDecorator, ExceptionFilter } from '@nestjs/common'
import type { Request, Response } from 'express'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { GeneralError, SessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import type { HttpExchange, HttpRequest, CompleteResponse } from '../transport/exchange.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import { defineAdapter } from './define-adapter.ts'
import type { AdapterCalls } from './define-adapter.ts'
import { FastifyResponseWriter, sendFastifyReply } from './fastify-reply.ts'
import { mustBeCalled } from './must-be-called.ts'
import { NodeResponseWriter, nodeRequest, sendReply } from './node-exchange.ts'
import { nodeSessions } from './node.ts'
import { nestRules } from './options.ts'

export type { ReadonlySession, Session } from '../transport/session.ts'

/** What the adapter for Nest is given: two functions of `@nestjs/common`, and options. */
export interface NestOptions {
  /** `Catch` of `@nestjs/common`. */
  readonly Catch: typeof Catch
  /** `createParamDecorator` of `@nestjs/common`. */
  readonly createParamDecorator: typeof createParamDecorator
  /** Who sent a request, where a trusted proxy says so. Default: the peer of the connection. */
  readonly clientIp?: (request: IncomingMessage) => string | null
  /**
   * Hears of every error of Keyturn that was answered with 500 or 503, but not of a refresh that was told to
   * wait (`REFRESH_BUSY`). Default: `console.error`.
   */
  readonly onError?: (error: unknown) => void
}

/** A request as handlers see it, of whichever server Nest stands on. */
export type NestRequest = Request | FastifyRequest
/** A response as handlers see it, of whichever server Nest stands on. */
export type NestResponse = Response | FastifyReply
type NestTarget = [request: NestRequest, response: NestResponse]

/** A middleware for `app.use`: both servers call it with the objects of node:http. */
export type NestMiddleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => unknown

/** Sessions for Nest on Express or on Fastify. What stands before a handler is a guard. */
export interface NestSessions<Payload extends object, Info extends object>
  extends Omit<AdapterCalls<NestTarget, CanActivate, Payload, Info>, 'sessionRoutes' | 'cors'> {
  /** Decorates a parameter of a handler behind the guard: `me(@CurrentSession() session: Session<Claims, Info>)`. */
  readonly CurrentSession: () => ParameterDecorator
  /** Makes the filter that turns Keyturn's errors into answers: `app.useGlobalFilters(sessions.errorHandler())`. */
  errorHandler(): ExceptionFilter
  /** Makes the middleware for Keyturn's own routes: refresh, sign-out, key set. `app.use(sessions.sessionRoutes())`. */
  sessionRoutes(): NestMiddleware
  /** Makes the middleware that writes CORS headers for the trusted origins and answers preflights. */
  cors(): NestMiddleware
}

/** Gives sessions the shape of Nest. */
export function nestSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: NestOptions,
): Rest & NestSessions<Payload, Info> {
  checkOptions('nestSessions', nestRules, options)
  const { Catch, createParamDecorator, clientIp, onError } = options
  const { http } = sessions
  const { sessionRoutes, cors } = nodeSessions({ http }, {
    ...onError === undefined ? {} : { onError }, ...clientIp === undefined ? {} : { clientIp },
  })

  function requestOf(request: NestRequest): HttpRequest {
    return 'raw' in request ? nodeRequest(request.raw, clientIp, request.originalUrl) : nodeRequest(request, clientIp)
  }

  function exchangeOf(request: NestRequest, response: NestResponse): HttpExchange {
    const reply = 'raw' in response ? new FastifyResponseWriter(response) : new NodeResponseWriter(response)
    return { request: requestOf(request), reply }
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
        // Whatever it settled with, Nest would answer again.
        return new Promise(() => undefined)
      },
    }),
    onError,
  })

  class SessionErrorFilter implements ExceptionFilter {
    catch(error: unknown, host: ArgumentsHost): void {
      const [request, response] = targetOf(host)
      if (!('raw' in response) && response.headersSent) response.destroy()
      else send(request, response, answer(error, request))
    }
  }
  Catch(SessionError)(SessionErrorFilter)

  const adapter: NestSessions<Payload, Info> = {
    ...calls,
    CurrentSession: createParamDecorator((_, context) => calls.sessionOf(targetOf(context)[0])),
    errorHandler: mustBeCalled('errorHandler', () => new SessionErrorFilter()),
    sessionRoutes,
    cors,
  }
  return { ...sessions, ...adapter }
}

function send(request: NestRequest, response: NestResponse, reply: CompleteResponse): void {
  if ('raw' in response) sendFastifyReply(response, reply)
  else sendReply(request, response, reply)
}

function targetOf(host: ArgumentsHost): NestTarget {
  const type = host.getType<string>()
  if (type !== 'http') {
    throw new GeneralError('MISUSE', `the guard and the filter are for handlers of HTTP; received a context of `
      + `${type}. Guard the handshakes of a gateway with wsSessions or socketIoSessions`)
  }
  const context = host.switchToHttp()
  return [context.getRequest<NestRequest>(), context.getResponse<NestResponse>()]
}
