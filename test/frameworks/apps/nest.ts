import 'reflect-metadata'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import {
  All, Body, Catch, Controller, createParamDecorator, Get, Header, HttpCode, HttpException, Module, Post, Put, Req,
  Res, StreamableFile, UseGuards,
} from '@nestjs/common'
import type { ArgumentsHost, CanActivate, INestApplication } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import type { NestExpressApplication } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { nestSessions } from '../../../src/frameworks/nest.ts'
import type { NestRequest, NestResponse, NestSessions } from '../../../src/frameworks/nest.ts'
import { createSessions } from '../../../src/index.ts'
import type { Sessions as BareSessions } from '../../../src/index.ts'
import {
  createAppFixture, describePage, describeReading, describeSession,
} from '../../../src/testing/framework-contract.ts'
import type {
  AppClaims, AppFixture, AppInfo, AppVariant, SessionDescription,
} from '../../../src/testing/framework-contract.ts'
import type { Session } from '../../../src/transport/session.ts'
import type { RunningApp } from '../../support/serve-web.ts'

type AppSession = Session<AppClaims, AppInfo>

/** The application of the framework contract on Nest, with Express or Fastify as its platform. */
export async function startNestApp(server: 'express' | 'fastify', variant: AppVariant): Promise<RunningApp> {
  const fixture = createAppFixture(variant)
  const app = await createApp(server, fixture)
  await app.listen(0, '127.0.0.1')
  const { port } = app.getHttpServer().address()
  return { port, close: () => app.close() }
}

async function createApp(server: 'express' | 'fastify', fixture: AppFixture): Promise<INestApplication> {
  const sessions = nestSessions(createSessions<AppClaims, AppInfo>(fixture.options), {
    Catch, createParamDecorator, onError: fixture.report,
  })
  const quiet = { logger: false } as const
  const app = server === 'fastify'
    ? await NestFactory.create(createModule(fixture, sessions), new FastifyAdapter(), quiet)
    : await createExpressApp(createModule(fixture, sessions))
  if (fixture.prefix !== '') app.setGlobalPrefix(fixture.prefix)
  if (fixture.cors) app.use(sessions.cors())
  app.use(sessions.sessionRoutes())
  app.useGlobalFilters(new Reveal(), sessions.errorHandler())
  return app

  async function createExpressApp(module: object): Promise<INestApplication> {
    const onExpress = await NestFactory.create<NestExpressApplication>(module, new ExpressAdapter(), quiet)
    return onExpress.useBodyParser('text', { limit: '1mb' })
  }
}

/** The application's own exception filter. */
class Reveal {
  catch(error: Error, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<NestResponse>()
    const raw: ServerResponse = 'raw' in response ? response.raw : response
    raw.setHeader('x-app-error', error.message)
    raw.statusCode = error instanceof HttpException ? error.getStatus() : 500
    raw.end()
  }
}
Catch()(Reveal)

type Sessions = BareSessions<AppClaims, AppInfo> & NestSessions<AppClaims, AppInfo>

function createModule(fixture: AppFixture, sessions: Sessions): new () => object {
  const { CurrentSession } = sessions
  const guarded = UseGuards(sessions.requireSession())
  const logIn: CanActivate = {
    async canActivate(context) {
      const http = context.switchToHttp()
      const request = http.getRequest<NestRequest & { body: { userId: string } }>()
      await sessions.createNewSession(request, http.getResponse<NestResponse>(), request.body.userId)
      return true
    },
  }

  class Routes {
    control(command: unknown): Promise<string> {
      return fixture.control(sessions, command)
    }

    async login(
      request: NestRequest,
      response: NestResponse,
      body: { userId: string; payload: AppClaims },
    ): Promise<object> {
      addHeader(response, 'access-control-expose-headers', 'x-app')
      addHeader(response, 'set-cookie', 'first=1; Path=/')
      const session = await sessions.createNewSession(request, response, body.userId, body.payload)
      addHeader(response, 'set-cookie', 'second=2; Path=/')
      addHeader(response, 'cache-control', 'public, max-age=60')
      return { handle: session.getHandle() }
    }

    async me(request: NestRequest, response: NestResponse): Promise<SessionDescription> {
      return describeSession(await sessions.getSession(request, response))
    }

    async reading(request: NestRequest): Promise<object> {
      return describeReading(await sessions.readSession(request))
    }

    describe(session: AppSession): SessionDescription {
      return describeSession(session)
    }

    act(session: AppSession): SessionDescription {
      return describeSession(session)
    }

    any(): object {
      fixture.visit()
      return {}
    }

    admin(session: AppSession): SessionDescription {
      return describeSession(session)
    }

    async optional(request: NestRequest, response: NestResponse): Promise<object> {
      const session = await sessions.getSession(request, response, { required: false })
      return { userId: session?.getUserId() ?? null }
    }

    async always(request: NestRequest, response: NestResponse): Promise<SessionDescription> {
      return describeSession(await sessions.getSession(request, response, true))
    }

    async never(request: NestRequest, response: NestResponse): Promise<SessionDescription> {
      return describeSession(await sessions.getSession(request, response, false))
    }

    async payload(session: AppSession, payload: AppClaims): Promise<SessionDescription> {
      await session.updateJwtPayload(payload)
      return describeSession(session)
    }

    info(session: AppSession): Promise<AppInfo> {
      return session.getSessionInfo()
    }

    async updateInfo(session: AppSession, info: AppInfo): Promise<object> {
      await session.updateSessionInfo(info)
      return {}
    }

    async revoke(session: AppSession): Promise<object> {
      await session.revokeSession()
      return {}
    }

    echo(body: string): string {
      return body
    }

    page(session: AppSession, body: unknown): string {
      return describePage(session, typeof body === 'string' ? body : '')
    }

    stream(): StreamableFile {
      return new StreamableFile(Readable.from(pieces(fixture.gate), { objectMode: false }))
    }

    steps(request: NestRequest, response: NestResponse, body: unknown): Promise<string> {
      return fixture.follow(sessions, [request, response], body)
    }

    async callback(request: NestRequest, response: NestResponse): Promise<object> {
      const login = { userId: 'alice', allowCrossSitePost: true }
      return { handle: (await sessions.createNewSession(request, response, login)).getHandle() }
    }

    relogin(session: AppSession): SessionDescription {
      return describeSession(session)
    }

    fail(): never {
      throw fixture.failure
    }
  }

  // Decorators, applied by calls: Node's type stripping does not support decorators in the source.
  Controller()(Routes)
  route('control', [Post('control'), HttpCode(200)], [Body()])
  route('login', [Post('login'), HttpCode(200)], [Req(), Res({ passthrough: true }), Body()])
  route('me', [Get('me')], [Req(), Res({ passthrough: true })])
  route('reading', [Get('reading')], [Req()])
  route('describe', [Get('guarded'), guarded, Header('cache-control', 'private, max-age=60')], [CurrentSession()])
  route('act', [All('act'), guarded, HttpCode(200)], [CurrentSession()])
  route('any', [All('any'), guarded, HttpCode(200)], [])
  route('admin', [Get('admin'), UseGuards(sessions.requireSession(fixture.adminOnly))], [CurrentSession()])
  route('optional', [Get('optional')], [Req(), Res({ passthrough: true })])
  route('always', [Get('always')], [Req(), Res({ passthrough: true })])
  route('never', [Post('never'), HttpCode(200)], [Req(), Res({ passthrough: true })])
  route('payload', [Post('payload'), guarded, HttpCode(200)], [CurrentSession(), Body()])
  route('info', [Get('info'), guarded], [CurrentSession()])
  route('updateInfo', [Put('info'), guarded], [CurrentSession(), Body()])
  route('revoke', [Post('revoke'), guarded, HttpCode(200)], [CurrentSession()])
  route('echo', [Post('echo'), guarded, HttpCode(200)], [Body()])
  const forPages = UseGuards(sessions.requireSession(fixture.pages))
  route('page', [All('page'), forPages, HttpCode(200)], [CurrentSession(), Body()])
  route('stream', [Get('stream'), guarded], [])
  route('steps', [Post('steps'), HttpCode(200)], [Req(), Res({ passthrough: true }), Body()])
  route('callback', [All('callback'), HttpCode(200)], [Req(), Res({ passthrough: true })])
  route('relogin', [Post('relogin'), UseGuards(logIn), guarded, HttpCode(200)], [CurrentSession()])
  route('fail', [Get('fail'), guarded], [])

  function route(
    name: keyof Routes,
    decorators: readonly MethodDecorator[],
    parameters: readonly ParameterDecorator[],
  ): void {
    const descriptor = Object.getOwnPropertyDescriptor(Routes.prototype, name)
    for (const decorate of decorators) if (descriptor !== undefined) decorate(Routes.prototype, name, descriptor)
    for (const [index, decorate] of parameters.entries()) decorate(Routes.prototype, name, index)
  }

  class AppModule {}
  Module({ controllers: [Routes] })(AppModule)
  return AppModule
}

function addHeader(response: NestResponse, name: string, value: string): void {
  if ('raw' in response) response.header(name, value)
  else if (name === 'set-cookie') response.append(name, value)
  else response.setHeader(name, value)
}

async function* pieces(gate: () => Promise<void>): AsyncGenerator<string> {
  yield 'one\n'
  await gate()
  yield 'two\n'
}
