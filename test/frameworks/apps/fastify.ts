import { Readable } from 'node:stream'
import fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { fastifySessions } from '../../../src/frameworks/fastify.ts'
import { createSessions } from '../../../src/index.ts'
import {
  createAppFixture, describePage, describeReading, describeSession,
} from '../../../src/testing/framework-contract.ts'
import type { AppClaims, AppInfo, AppVariant } from '../../../src/testing/framework-contract.ts'
import type { RunningApp } from '../../support/serve-web.ts'

/** The application of the framework contract on Fastify. */
export async function startFastifyApp(variant: AppVariant): Promise<RunningApp> {
  const fixture = createAppFixture(variant)
  const sessions = fastifySessions(createSessions<AppClaims, AppInfo>(fixture.options), { onError: fixture.report })

  async function routes(router: FastifyInstance): Promise<void> {
    router.post('/control', async (request, reply) => {
      reply.type('application/json')
      return fixture.control(sessions, request.body)
    })
    router.post<{ Body: { userId: string; payload: AppClaims } }>('/login', async (request, reply) => {
      reply.header('access-control-expose-headers', 'x-app').header('set-cookie', 'first=1; Path=/')
      const { userId, payload } = request.body
      const session = await sessions.createNewSession(request, reply, userId, payload)
      reply.header('set-cookie', 'second=2; Path=/').header('cache-control', 'public, max-age=60')
      return { handle: session.getHandle() }
    })
    router.get('/me', async (request, reply) => describeSession(await sessions.getSession(request, reply)))
    router.get('/reading', async request => describeReading(await sessions.readSession(request)))
    router.get('/guarded', { onRequest: sessions.requireSession() }, async (request, reply) => {
      reply.header('cache-control', 'private, max-age=60')
      return describeSession(sessions.sessionOf(request))
    })
    router.route({
      method: ['POST', 'PUT', 'PATCH', 'DELETE'],
      url: '/act',
      handler: sessions.requireSession(async (_request, _reply, session) => describeSession(session)),
    })
    router.all('/any', { onRequest: sessions.requireSession() }, async () => {
      fixture.visit()
      return {}
    })
    router.get('/optional', async (request, reply) => {
      const session = await sessions.getSession(request, reply, { required: false })
      return { userId: session?.getUserId() ?? null }
    })
    router.get('/admin',
      sessions.requireSession((_request, _reply, session) => describeSession(session), fixture.adminOnly))
    router.get('/always', async (request, reply) => describeSession(await sessions.getSession(request, reply, true)))
    router.post('/never', async (request, reply) => describeSession(await sessions.getSession(request, reply, false)))
    router.post('/payload', sessions.requireSession<{ Body: AppClaims }>(async ({ body }, _, session) => {
      await session.updateJwtPayload(body)
      return describeSession(session)
    }))
    router.get('/info', sessions.requireSession((_request, _reply, session) => session.getSessionInfo()))
    router.put('/info', sessions.requireSession<{ Body: AppInfo }>(async ({ body }, _, session) => {
      await session.updateSessionInfo(body)
      return {}
    }))
    router.post('/revoke', sessions.requireSession(async (_request, _reply, session) => {
      await session.revokeSession()
      return {}
    }))
    router.post('/echo', sessions.requireSession(({ body }) => body))
    const page = sessions.requireSession(({ body }, _, session) => (
      describePage(session, typeof body === 'string' ? body : '')
    ), fixture.pages)
    router.get('/page', page)
    router.post('/page', page)
    router.get('/stream', sessions.requireSession((_, reply) => reply.send(Readable.from((async function* pieces() {
      yield 'one\n'
      await fixture.gate()
      yield 'two\n'
    })()))))
    router.post('/steps', async (request, reply) => {
      reply.type('application/json')
      return fixture.follow(sessions, [request, reply], request.body)
    })
    router.route({
      method: ['GET', 'POST'],
      url: '/callback',
      handler: async (request, reply) => {
        const session = await sessions.createNewSession(request, reply, { userId: 'alice', allowCrossSitePost: true })
        return { handle: session.getHandle() }
      },
    })
    router.post<{ Body: { userId: string } }>('/relogin', {
      preHandler: [
        async (request, reply) => void await sessions.createNewSession(request, reply, request.body.userId),
        sessions.requireSession(),
      ],
    }, async request => describeSession(sessions.sessionOf(request)))
    router.get('/fail', sessions.requireSession(() => {
      throw fixture.failure
    }))
  }

  const app = fastify()
  if (fixture.cors) app.addHook('onRequest', sessions.cors())
  app.register(sessions.sessionRoutes())
  app.setErrorHandler(sessions.errorHandler((error, _, reply) => {
    reply.code(500).header('x-app-error', error instanceof Error ? error.message : '').send()
  }))
  app.register(routes, { prefix: fixture.prefix })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  return { port: Number(new URL(address).port), close: () => app.close() }
}
