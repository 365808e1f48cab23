import { H3, readBody } from 'h3'
import type { Middleware } from 'h3'
import { h3Sessions } from '../../../src/frameworks/h3.ts'
import { createSessions } from '../../../src/index.ts'
import {
  createAppFixture, describePage, describeReading, describeSession,
} from '../../../src/testing/framework-contract.ts'
import type { AppClaims, AppInfo, AppVariant } from '../../../src/testing/framework-contract.ts'
import { pieces } from './pieces.ts'

/** The application of the framework contract on h3. */
export function createH3App(variant: AppVariant): H3 {
  const fixture = createAppFixture(variant)
  const sessions = h3Sessions(createSessions<AppClaims, AppInfo>(fixture.options), { onError: fixture.report })

  const app = new H3()
  if (fixture.cors) app.use(sessions.cors())
  app.use(sessions.errorHandler())
  app.use(sessions.sessionRoutes())
  app.post('/control', async event => fixture.control(sessions, await event.req.json()))
  app.post('/login', async event => {
    event.res.headers.set('access-control-expose-headers', 'x-app')
    event.res.headers.append('set-cookie', 'first=1; Path=/')
    const { userId, payload } = await event.req.json() as { userId: string; payload: AppClaims }
    const session = await sessions.createNewSession(event, userId, payload)
    event.res.headers.append('set-cookie', 'second=2; Path=/')
    event.res.headers.set('cache-control', 'public, max-age=60')
    return { handle: session.getHandle() }
  })
  app.get('/me', async event => describeSession(await sessions.getSession(event)))
  app.get('/reading', async event => describeReading(await sessions.readSession(event)))
  app.get('/guarded', event => {
    event.res.headers.set('cache-control', 'private, max-age=60')
    return describeSession(sessions.sessionOf(event))
  }, { middleware: [sessions.requireSession()] })
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
    app.on(method, '/act', sessions.requireSession((_, session) => describeSession(session)))
  }
  app.all('/any', () => {
    fixture.visit()
    return {}
  }, { middleware: [sessions.requireSession()] })
  app.get('/optional', async event => {
    const session = await sessions.getSession(event, { required: false })
    return { userId: session?.getUserId() ?? null }
  })
  app.get('/admin', sessions.requireSession((_, session) => describeSession(session), fixture.adminOnly))
  app.get('/always', async event => describeSession(await sessions.getSession(event, true)))
  app.post('/never', async event => describeSession(await sessions.getSession(event, false)))
  app.post('/payload', sessions.requireSession(async (event, session) => {
    await session.updateJwtPayload(await readBody<AppClaims>(event) ?? {})
    return describeSession(session)
  }))
  app.get('/info', sessions.requireSession((_, session) => session.getSessionInfo()))
  app.put('/info', sessions.requireSession(async (event, session) => {
    await session.updateSessionInfo(await readBody<AppInfo>(event) ?? {})
    return {}
  }))
  app.post('/revoke', sessions.requireSession(async (_, session) => {
    await session.revokeSession()
    return {}
  }))
  app.post('/echo', sessions.requireSession(event => event.req.body))
  const page = sessions.requireSession(async (event, session) => (
    describePage(session, await event.req.text())
  ), fixture.pages)
  app.get('/page', page)
  app.post('/page', page)
  app.get('/stream', sessions.requireSession(() => pieces(fixture.gate)))
  app.post('/steps', async event => fixture.follow(sessions, [event], await readBody(event)))
  for (const method of ['GET', 'POST'] as const) {
    app.on(method, '/callback', async event => {
      const session = await sessions.createNewSession(event, { userId: 'alice', allowCrossSitePost: true })
      return { handle: session.getHandle() }
    })
  }
  const logIn: Middleware = async (event, next) => {
    const { userId } = await event.req.json() as { userId: string }
    await sessions.createNewSession(event, userId)
    return next()
  }
  app.post('/relogin', event => describeSession(sessions.sessionOf(event)), {
    middleware: [logIn, sessions.requireSession()],
  })
  app.get('/fail', sessions.requireSession(() => {
    throw fixture.failure
  }))

  return new H3({
    silent: true,
    onError: ({ status, unhandled, message }) => (
      new Response(null, { status, headers: unhandled === true ? { 'x-app-error': message } : {} })
    ),
  }).mount(fixture.prefix, app)
}
