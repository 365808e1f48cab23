import type { ArgumentsHost, CanActivate, Catch, createParamDecorator, ExceptionFilter } from '@nestjs/common'
import type { Request, Response } from 'express'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { GeneralError, SessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import type { SessionOptions } from '../transport/get-session.ts'
import { typedByOptions } from '../transport/http-sessions.ts'
import type { CreateNewSession, GetSession, HttpSessions, RefreshSession } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import { expressSessions } from './express.ts'
import { fastifySessions } from './fastify.ts'
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
  /** Hears of every error of Keyturn that was answered with 500 or 503. Default: `console.error`. */
  readonly onError?: (error: unknown) => void
}

/** A request as handlers see it, of whichever server Nest stands on. */
export type NestRequest = Request | FastifyRequest
/** A response as handlers see it, of whichever server Nest stands on. */
export type NestResponse = Response | FastifyReply
type NestTarget = [request: NestRequest, response: NestResponse]

/** A middleware for `app.use`: both servers call it with the objects of node:http. */
export type NestMiddleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => unknown

/** Sessions for Nest on Express or on Fastify. */
export interface NestSessions<Payload extends object, Info extends object> {
  readonly createNewSession: CreateNewSession<NestTarget, Payload, Info>
  readonly getSession: GetSession<NestTarget, Payload, Info>
  readonly refreshSession: RefreshSession<NestTarget, Payload, Info>
  /**
   * Makes a guard that lets only requests with a session pass, whatever their method:
   * `@UseGuards(sessions.guard())`. It answers CORS preflights itself.
   */
  guard(options?: SessionOptions<Payload>): CanActivate
  /** Decorates a parameter of a handler behind the guard: `me(@CurrentSession() session: Session<Claims, Info>)`. */
  readonly CurrentSession: () => ParameterDecorator
  /** The session that the guard found. @throws GeneralError (`MISUSE`) if there is no guard before the handler. */
  sessionOf(request: NestRequest): Session<Payload, Info>
  /** Makes the filter that turns Keyturn's errors into answers: `app.useGlobalFilters(sessions.errorFilter())`. */
  errorFilter(): ExceptionFilter
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
  const { Catch, createParamDecorator, clientIp } = options
  const onError = options.onError ?? ((error: unknown): void => console.error('keyturn: a request failed:', error))
  const { http } = sessions
  const onExpress = expressSessions({ http }, { onError, ...clientIp === undefined ? {} : { clientIp } })
  const onFastify = fastifySessions(
    { http },
    { onError, ...clientIp === undefined ? {} : { clientIp: ({ raw }: FastifyRequest) => clientIp(raw) } },
  )
  const onNode = nodeSessions({ http }, { onError, ...clientIp === undefined ? {} : { clientIp } })

  /** Calls what suits the server that the two objects come from. */
  function either<Result>(
    [request, response]: NestTarget,
    express: (request: Request, response: Response) => Result,
    fastify: (request: FastifyRequest, reply: FastifyReply) => Result,
  ): Result {
    if ('raw' in request && 'raw' in response) return fastify(request, response)
    if (!('raw' in request) && !('raw' in response)) return express(request, response)
    throw new TypeError('the request and the response are of two servers')
  }

  const getSession = typedByOptions<NestTarget, Payload, Info>((request, response, argument) => either(
    [request, response],
    (...target) => onExpress.getSession(...target, argument),
    (...target) => onFastify.getSession(...target, argument),
  ))

  function sessionOf(request: NestRequest): Session<Payload, Info> {
    return 'raw' in request ? onFastify.sessionOf(request) : onExpress.sessionOf(request)
  }

  class SessionErrorFilter implements ExceptionFilter {
    catch(error: unknown, host: ArgumentsHost): void {
      either(
        targetOf(host),
        (request, response) => onExpress.errorHandler()(error, request, response, () => response.destroy()),
        (request, reply) => onFastify.errorHandler()(error, request, reply),
      )
    }
  }
  Catch(SessionError)(SessionErrorFilter)

  const adapter: NestSessions<Payload, Info> = {
    createNewSession: (request, response, ...rest) => either(
      [request, response],
      (...target) => onExpress.createNewSession(...target, ...rest),
      (...target) => onFastify.createNewSession(...target, ...rest),
    ),
    getSession,
    refreshSession: (...call) => either(call, onExpress.refreshSession, onFastify.refreshSession),
    guard(sessionOptions = {}) {
      const express = onExpress.requireSession(sessionOptions)
      const fastify = onFastify.requireSession(() => true, sessionOptions)
      return {
        // It never settles where it has answered a preflight: whatever it settled with, Nest would answer again.
        canActivate: context => new Promise((resolve, reject) => either(
          targetOf(context),
          (request, response) => void express(request, response, (error?: unknown) => {
            if (error === undefined) resolve(true)
            else reject(error)
          }),
          (request, reply) => void fastify(request, reply).then(admitted => {
            if (admitted === true) resolve(true)
          }, reject),
        )),
      }
    },
    CurrentSession: createParamDecorator((_, context) => sessionOf(targetOf(context)[0])),
    sessionOf,
    errorFilter: () => new SessionErrorFilter(),
    sessionRoutes: () => onNode.sessionRoutes(),
    cors: () => onNode.cors(),
  }
  return { ...sessions, ...adapter }
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
