// Keyturn with Nest on Express. For Fastify, change only the adapter that NestFactory gets.
import 'reflect-metadata'
import { Body, Catch, Controller, createParamDecorator, Get, Module, Post, Req, Res, UseGuards } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { createSessions } from 'keyturn'
import { nestSessions } from 'keyturn/frameworks/nest'
import type { NestRequest, NestResponse, Session } from 'keyturn/frameworks/nest'
import { openSqliteStore } from 'keyturn/stores/sqlite'

const { PORT = '3000', DATABASE = 'example.db' } = process.env
const origin = `http://127.0.0.1:${PORT}`

type Claims = { role?: string }
type Info = { note?: string }

const sessions = nestSessions(
  createSessions<Claims, Info>({ origin, store: openSqliteStore(DATABASE) }),
  { Catch, createParamDecorator },
)
const { CurrentSession } = sessions

@Controller()
class AppController {
  // The explicit style. A real application checks a password here.
  @Post('login')
  async login(
    @Req() request: NestRequest,
    @Res({ passthrough: true }) response: NestResponse,
    @Body() body?: { userId?: string },
  ): Promise<object> {
    const session = await sessions.createNewSession(request, response, body?.userId ?? 'ada', { role: 'reader' })
    return { handle: session.getHandle() }
  }

  // The style of Nest: a guard, and a decorator for the session that it found.
  @Get('me')
  @UseGuards(sessions.requireSession())
  me(@CurrentSession() session: Session<Claims, Info>): object {
    return { userId: session.getUserId(), ...session.getJwtPayload() }
  }
}

@Module({ controllers: [AppController] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] })
app.use(sessions.sessionRoutes())
app.useGlobalFilters(sessions.errorHandler())
await app.listen(Number(PORT), '127.0.0.1')
console.log(`Keyturn example: ${origin}`)
process.once('SIGTERM', () => process.exit(0))
