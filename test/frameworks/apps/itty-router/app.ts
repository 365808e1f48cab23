import { Router } from 'itty-router'
import { createSessions } from 'keyturn'
import { createAppFixture, describePage, describeReading, describeSession } from 'keyturn/testing/contracts'
import type { AppClaims, AppInfo, AppVariant } from 'keyturn/testing/contracts'
import { ittySessions } from '../../../../examples/itty-router/itty-sessions.ts'
import { pieces } from '../pieces.ts'

type Handler = (request: Request) => unknown

/** The application of the framework contract on itty-router, with a custom adapter, on the built package. */
export function createIttyApp(variant: AppVariant): (request: Request) => Promise<Response> {
  const fixture = createAppFixture(variant)
  const sessions = ittySessions(createSessions<AppClaims, AppInfo>(fixture.options), { onError: fixture.report })
  const answerError = sessions.errorHandler()
  const guard = sessions.requireSession()

  const router = Router<Request, [], Response>({
    base: fixture.prefix,
    before: [...fixture.cors ? [sessions.cors()] : [], sessions.sessionRoutes()],
    catch(error, request) {
      if (error !== fixture.failure) return answerError(error, request)
      return new Response(null, { status: 500, headers: { 'x-app-error': fixture.failure.message } })
    },
    finally: [
      (response = new Response(null, { status: 404 }), request) => (
        request.method === 'HEAD' ? new Response(null, response) : response
      ),
      sessions.finish(),
    ],
  })

  const get = (path: string, ...handlers: readonly Handler[]): void => {
    router.get(path, ...handlers)
    router.head(path, ...handlers)
  }

  const describe: Handler = request => Response.json(describeSession(sessions.sessionOf(request)))
  router.post('/control', async request => new Response(await fixture.control(sessions, await request.json())))
  router.post('/login', async request => {
    const { userId, payload }: { userId: string; payload: AppClaims } = await request.json()
    const session = await sessions.createNewSession(request, userId, payload)
    return Response.json({ handle: session.getHandle() }, {
      headers: [
        ['set-cookie', 'first=1; Path=/'], ['set-cookie', 'second=2; Path=/'],
        ['cache-control', 'public, max-age=60'], ['access-control-expose-headers', 'x-app'],
      ],
    })
  })
  get('/me', async request => Response.json(describeSession(await sessions.getSession(request))))
  get('/reading', async request => Response.json(describeReading(await sessions.readSession(request))))
  get('/guarded', guard, request => (
    Response.json(describeSession(sessions.sessionOf(request)), { headers: { 'cache-control': 'private, max-age=60' } })
  ))
  for (const method of ['post', 'put', 'patch', 'delete'] as const) router[method]('/act', guard, describe)
  router.all('/any', guard, () => {
    fixture.visit()
    return Response.json({})
  })
  get('/optional', async request => {
    const session = await sessions.getSession(request, { required: false })
    return Response.json({ userId: session?.getUserId() ?? null })
  })
  get('/admin', sessions.requireSession(fixture.adminOnly), describe)
  get('/always', async request => Response.json(describeSession(await sessions.getSession(request, true))))
  router.post('/never', async request => Response.json(describeSession(await sessions.getSession(request, false))))
  router.post('/payload', guard, async request => {
    await sessions.sessionOf(request).updateJwtPayload(await request.json() as AppClaims)
    return describe(request)
  })
  get('/info', guard, async request => Response.json(await sessions.sessionOf(request).getSessionInfo()))
  router.put('/info', guard, async request => {
    await sessions.sessionOf(request).updateSessionInfo(await request.json() as AppInfo)
    return Response.json({})
  })
  router.post('/revoke', guard, async request => {
    await sessions.sessionOf(request).revokeSession()
    return Response.json({})
  })
  router.post('/echo', guard, request => new Response(request.body))
  router.all('/page', sessions.requireSession(fixture.pages), async request => (
    new Response(describePage(sessions.sessionOf(request), await request.text()))
  ))
  get('/stream', guard, () => new Response(pieces(fixture.gate)))
  router.post('/steps', async request => new Response(await fixture.follow(sessions, [request], await request.json())))
  router.all('/callback', async request => {
    const session = await sessions.createNewSession(request, { userId: 'alice', allowCrossSitePost: true })
    return Response.json({ handle: session.getHandle() })
  })
  router.post('/relogin', async request => {
    const { userId }: { userId: string } = await request.json()
    await sessions.createNewSession(request, userId)
  }, guard, describe)
  get('/fail', guard, () => {
    throw fixture.failure
  })
  return router.fetch
}
