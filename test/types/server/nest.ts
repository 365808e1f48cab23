import type { IncomingMessage, ServerResponse } from 'node:http'
import { Catch, Controller, createParamDecorator, Get, Post, Req, Res, UseGuards } from '@nestjs/common'
import type { ArgumentsHost, CanActivate, ExceptionFilter } from '@nestjs/common'
import type { Response } from 'express'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RequireSessionOptions } from 'keyturn'
import { nestSessions } from 'keyturn/frameworks/nest'
import type {
  NestMiddleware, NestOptions, NestRequest, NestResponse, NestSessions, ReadonlySession, Session,
} from 'keyturn/frameworks/nest'
import { sessions } from '../application.ts'
import type { Claims, Found, Info } from '../application.ts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'
import type { CallName, Calls } from './calls.ts'

const adapter = nestSessions(sessions, { Catch, createParamDecorator, onError: error => typeOf(error).is<unknown>() })
const { CurrentSession } = adapter

@Controller()
export class AppController {
  @Get('me')
  @UseGuards(adapter.requireSession({ maxAuthenticationAge: 60 }))
  me(@CurrentSession() session: Session<Claims, Info>): Readonly<Claims> {
    typeOf(session).is<Found>()
    return session.getJwtPayload()
  }

  @Post('login')
  async login(@Req() request: NestRequest, @Res({ passthrough: true }) response: NestResponse): Promise<void> {
    typeOf(adapter.createNewSession(request, response, 'ada', { role: 'reader' }, { cart: [] })).is<Promise<Found>>()
    typeOf(adapter.getSession(request, response)).is<Promise<Found>>()
    typeOf(adapter.getSession(request, response, { required: false })).is<Promise<Found | null>>()
    typeOf(adapter.refreshSession(request, response)).is<Promise<Found>>()
    typeOf(adapter.sessionOf(request)).is<Found>()
    const reading = await adapter.readSession(request)
    if (reading.kind === 'active') typeOf(reading.session).is<ReadonlySession<Claims>>()
    // @ts-expect-error: no such role
    await adapter.createNewSession(request, response, 'ada', { role: 'owner' })
  }
}

export const own: NestSessions<Claims, Info> = adapter
typeOf(adapter.requireSession()).is<CanActivate>()
typeOf(adapter.errorHandler()).is<ExceptionFilter>()
typeOf(adapter.sessionRoutes()).is<NestMiddleware>()
typeOf(adapter.cors()).is<NestMiddleware>()
typeOf(adapter.console({
  async authorize(request) {
    const reading = await adapter.readSession(request)
    return reading.kind === 'active' ? { name: reading.session.getUserId(), role: 'read' } : null
  },
})).is<NestMiddleware>()
typeOf(CurrentSession).is<() => ParameterDecorator>()
// @ts-expect-error: a guard demands a session
adapter.requireSession({ required: false })
// @ts-expect-error: what Nest itself gives is missing
nestSessions(sessions)
export type Shape = [
  Expect<Equal<Pick<NestSessions<Claims, Info>, CallName>, Calls<[request: NestRequest, response: NestResponse]>>>,
  Expect<Equal<NestSessions<Claims, Info>['requireSession'], (options?: RequireSessionOptions<Claims>) => CanActivate>>,
  Expect<Equal<NestRequest, IncomingMessage | FastifyRequest>>,
  Expect<Equal<NestResponse, Response | FastifyReply>>,
  Expect<Equal<NestMiddleware, (request: IncomingMessage, response: ServerResponse, next: () => void) => unknown>>,
  Expect<Equal<NestOptions, {
    readonly Catch: typeof Catch
    readonly createParamDecorator: typeof createParamDecorator
    readonly clientIp?: (request: IncomingMessage) => string | null
    readonly findRequest?: (host: ArgumentsHost) => readonly [request: NestRequest, response: NestResponse] | null
    readonly onError?: (error: unknown) => void
  }>>,
]
