import { createServer } from 'node:http'
import type { ErrorRequestHandler, Express, RequestHandler, Router } from 'express'
import { expressSessions } from '../../../src/frameworks/express.ts'
import { createSessions } from '../../../src/index.ts'
import {
  createAppFixture, describePage, describeReading, describeSession,
} from '../../../src/testing/framework-contract.ts'
import type { AppClaims, AppInfo, AppVariant } from '../../../src/testing/framework-contract.ts'
import { listen } from '../../support/serve-web.ts'
import type { RunningApp } from '../../support/serve-web.ts'

/** The part of Express that versions 4 and 5 share. */
export interface ExpressModule {
  (): Express
  Router(): Router
  json(): RequestHandler
  text(options: { limit: string }): RequestHandler
}

/**
 * The application of the framework contract on Express. `catching` passes the errors of async handlers to the error
 * handler; Express 4 leaves that to the application.
 */
export function startExpressApp(
  express: ExpressModule,
  catching: (handler: RequestHandler) => RequestHandler,
  variant: AppVariant,
): Promise<RunningApp> {
  const fixture = createAppFixture(variant)
  const sessions = expressSessions(createSessions<AppClaims, AppInfo>(fixture.options), { onError: fixture.report })

  const router = express.Router()
  if (fixture.cors) router.use(sessions.cors())
  router.use(sessions.sessionRoutes())
  router.use(express.json(), express.text({ limit: '1mb' }))
  router.post('/control', catching(async (request, response) => {
    response.type('json').send(await fixture.control(sessions, request.body))
  }))
  router.post('/login', catching(async (request, response) => {
    response.set('Access-Control-Expose-Headers', 'x-app')
    response.cookie('first', '1')
    const session = await sessions.createNewSession(request, response, request.body.userId, request.body.payload)
    response.cookie('second', '2')
    response.set('Cache-Control', 'public, max-age=60').json({ handle: session.getHandle() })
  }))
  router.get('/me', catching(async (request, response) => {
    response.json(describeSession(await sessions.getSession(request, response)))
  }))
  router.get('/reading', catching(async (request, response) => {
    response.json(describeReading(await sessions.readSession(request)))
  }))
  router.get('/guarded', sessions.requireSession(), (request, response) => {
    response.set('Cache-Control', 'private, max-age=60').json(describeSession(sessions.sessionOf(request)))
  })
  router.all('/act', sessions.requireSession(), (request, response) => {
    response.json(describeSession(sessions.sessionOf(request)))
  })
  router.use('/any', sessions.requireSession(), (_, response) => {
    fixture.visit()
    response.json({})
  })
  router.get('/optional', catching(async (request, response) => {
    const session = await sessions.getSession(request, response, { required: false })
    response.json({ userId: session?.getUserId() ?? null })
  }))
  router.get('/admin', sessions.requireSession(fixture.adminOnly), (request, response) => {
    response.json(describeSession(sessions.sessionOf(request)))
  })
  router.get('/always', catching(async (request, response) => {
    response.json(describeSession(await sessions.getSession(request, response, true)))
  }))
  router.post('/never', catching(async (request, response) => {
    response.json(describeSession(await sessions.getSession(request, response, false)))
  }))
  router.post('/payload', sessions.requireSession(async (request, response, session) => {
    await session.updateJwtPayload(request.body)
    response.json(describeSession(session))
  }))
  router.get('/info', sessions.requireSession(async (_, response, session) => {
    response.json(await session.getSessionInfo())
  }))
  router.put('/info', sessions.requireSession(async (request, response, session) => {
    await session.updateSessionInfo(request.body)
    response.json({})
  }))
  router.post('/revoke', sessions.requireSession(async (_, response, session) => {
    await session.revokeSession()
    response.json({})
  }))
  router.post('/echo', sessions.requireSession(), (request, response) => {
    response.type('text').send(request.body)
  })
  const page = sessions.requireSession((request, response, session) => {
    response.type('text').send(describePage(session, typeof request.body === 'string' ? request.body : ''))
  }, fixture.pages)
  router.get('/page', page)
  router.post('/page', page)
  router.get('/stream', sessions.requireSession(async (_, response) => {
    response.write('one\n')
    await fixture.gate()
    response.end('two\n')
  }))
  router.post('/steps', catching(async (request, response) => {
    response.type('json').send(await fixture.follow(sessions, [request, response], request.body))
  }))
  router.all('/callback', catching(async (request, response) => {
    const login = { userId: 'alice', allowCrossSitePost: true }
    response.json({ handle: (await sessions.createNewSession(request, response, login)).getHandle() })
  }))
  router.post('/relogin', catching(async (request, response, next) => {
    await sessions.createNewSession(request, response, request.body.userId)
    next()
  }), sessions.requireSession(), (request, response) => {
    response.json(describeSession(sessions.sessionOf(request)))
  })
  router.get('/fail', sessions.requireSession(() => {
    throw fixture.failure
  }))

  const reveal: ErrorRequestHandler = (error: Error, _request, response, _next) => {
    response.status(500).set('X-App-Error', error.message).end()
  }
  const app = express()
  app.use(fixture.prefix === '' ? '/' : fixture.prefix, router)
  app.use(sessions.errorHandler())
  app.use(reveal)
  return listen(createServer(app))
}
