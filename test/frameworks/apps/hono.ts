import { Hono } from 'hono'
import { setCookie } from 'hono/cookie'
import { honoSessions } from '../../../src/frameworks/hono.ts'
import { createSessions } from '../../../src/index.ts'
import {
  createAppFixture, describePage, describeReading, describeSession,
} from '../../../src/testing/framework-contract.ts'
import type { AppClaims, AppInfo, AppVariant } from '../../../src/testing/framework-contract.ts'
import { pieces } from './pieces.ts'

/** The application of the framework contract on Hono. */
export function createHonoApp(variant: AppVariant): (request: Request) => Response | Promise<Response> {
  const fixture = createAppFixture(variant)
  const sessions = honoSessions(createSessions<AppClaims, AppInfo>(fixture.options), { onError: fixture.report })

  const app = new Hono().basePath(fixture.prefix)
  if (fixture.cors) app.use(sessions.cors())
  app.use(sessions.sessionRoutes())
  app.onError(sessions.errorHandler((error, context) => context.body(null, 500, { 'x-app-error': error.message })))
  app.post('/control', async context => context.body(await fixture.control(sessions, await context.req.json())))
  app.post('/login', async context => {
    context.header('access-control-expose-headers', 'x-app')
    setCookie(context, 'first', '1')
    const { userId, payload } = await context.req.json<{ userId: string; payload: AppClaims }>()
    const session = await sessions.createNewSession(context, userId, payload)
    setCookie(context, 'second', '2')
    return context.json({ handle: session.getHandle() }, 200, { 'cache-control': 'public, max-age=60' })
  })
  app.get('/me', async context => context.json(describeSession(await sessions.getSession(context))))
  app.get('/reading', async context => context.json(describeReading(await sessions.readSession(context))))
  app.get('/guarded', sessions.requireSession(), context => (
    context.json(describeSession(context.var.session), 200, { 'cache-control': 'private, max-age=60' })
  ))
  app.on(['POST', 'PUT', 'PATCH', 'DELETE'], '/act', sessions.requireSession(), context => (
    context.json(describeSession(sessions.sessionOf(context)))
  ))
  app.all('/any', sessions.requireSession(), context => {
    fixture.visit()
    return context.json({})
  })
  app.get('/optional', async context => {
    const session = await sessions.getSession(context, { required: false })
    return context.json({ userId: session?.getUserId() ?? null })
  })
  app.get('/admin', sessions.requireSession(fixture.adminOnly), context => (
    context.json(describeSession(context.var.session))
  ))
  app.get('/always', async context => context.json(describeSession(await sessions.getSession(context, true))))
  app.post('/never', async context => context.json(describeSession(await sessions.getSession(context, false))))
  app.post('/payload', sessions.requireSession(), async context => {
    const { session } = context.var
    await session.updateJwtPayload(await context.req.json())
    return context.json(describeSession(session))
  })
  app.get('/info', sessions.requireSession(), async context => context.json(await context.var.session.getSessionInfo()))
  app.put('/info', sessions.requireSession(), async context => {
    await context.var.session.updateSessionInfo(await context.req.json())
    return context.json({})
  })
  app.post('/revoke', sessions.requireSession(), async context => {
    await context.var.session.revokeSession()
    return context.json({})
  })
  app.post('/echo', sessions.requireSession(), context => new Response(context.req.raw.body))
  app.on(['GET', 'POST'], '/page', sessions.requireSession(fixture.pages), async context => (
    context.text(describePage(context.var.session, await context.req.text()))
  ))
  app.get('/stream', sessions.requireSession(), context => context.body(pieces(fixture.gate)))
  app.post('/steps', async context => context.body(await fixture.follow(sessions, [context], await context.req.json())))
  app.on(['GET', 'POST'], '/callback', async context => {
    const session = await sessions.createNewSession(context, { userId: 'alice', allowCrossSitePost: true })
    return context.json({ handle: session.getHandle() })
  })
  app.post('/relogin', async (context, next) => {
    const { userId } = await context.req.json<{ userId: string }>()
    await sessions.createNewSession(context, userId)
    await next()
  }, sessions.requireSession(), context => context.json(describeSession(sessions.sessionOf(context))))
  app.get('/fail', sessions.requireSession(), () => {
    throw fixture.failure
  })
  return app.fetch
}
