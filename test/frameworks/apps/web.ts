import { webSessions } from '../../../src/frameworks/web.ts'
import { createSessions } from '../../../src/index.ts'
import {
  createAppFixture, describePage, describeReading, describeSession,
} from '../../../src/testing/framework-contract.ts'
import type { AppClaims, AppInfo, AppVariant } from '../../../src/testing/framework-contract.ts'
import { pieces } from './pieces.ts'

type Route = (request: Request) => Promise<Response>

/** The application of the framework contract on web requests alone: it runs on every runtime. */
export function createWebApp(variant: AppVariant): Route {
  const fixture = createAppFixture(variant)
  const sessions = webSessions(createSessions<AppClaims, AppInfo>(fixture.options), { onError: fixture.report })

  const answerSession = sessions.requireSession((_, session) => Response.json(describeSession(session)))
  const answerCallback = sessions.handler(async (request, headers) => {
    const session = await sessions.createNewSession(request, headers, { userId: 'alice', allowCrossSitePost: true })
    return Response.json({ handle: session.getHandle() })
  })
  const page = sessions.requireSession(async (request, session) => (
    new Response(describePage(session, await request.text()))
  ), fixture.pages)
  const routes: Readonly<Record<string, Route>> = {
    'POST /control': async request => new Response(await fixture.control(sessions, await request.json())),
    'POST /login': sessions.handler(async (request, headers) => {
      const { userId, payload } = await request.json() as { userId: string; payload: AppClaims }
      const session = await sessions.createNewSession(request, headers, userId, payload)
      headers.set('cache-control', 'public, max-age=60')
      return Response.json({ handle: session.getHandle() }, {
        headers: [
          ['set-cookie', 'first=1; Path=/'], ['set-cookie', 'second=2; Path=/'],
          ['cache-control', 'public, max-age=60'], ['access-control-expose-headers', 'x-app'],
        ],
      })
    }),
    'GET /me': sessions.handler(async (request, headers) => (
      Response.json(describeSession(await sessions.getSession(request, headers)))
    )),
    'GET /reading': async request => Response.json(describeReading(await sessions.readSession(request))),
    'GET /guarded': sessions.requireSession((_, session) => (
      Response.json(describeSession(session), { headers: { 'cache-control': 'private, max-age=60' } })
    )),
    ...Object.fromEntries(['POST', 'PUT', 'PATCH', 'DELETE'].map(method => [`${method} /act`, answerSession])),
    'GET /optional': sessions.handler(async (request, headers) => {
      const session = await sessions.getSession(request, headers, { required: false })
      return Response.json({ userId: session?.getUserId() ?? null })
    }),
    'GET /admin': sessions.requireSession(
      (_, session) => Response.json(describeSession(session)), fixture.adminOnly,
    ),
    'GET /always': sessions.handler(async (request, headers) => (
      Response.json(describeSession(await sessions.getSession(request, headers, true)))
    )),
    'POST /never': sessions.handler(async (request, headers) => (
      Response.json(describeSession(await sessions.getSession(request, headers, false)))
    )),
    'POST /payload': sessions.requireSession(async (request, session) => {
      await session.updateJwtPayload(await request.json() as AppClaims)
      return Response.json(describeSession(session))
    }),
    'GET /info': sessions.requireSession(async (_, session) => Response.json(await session.getSessionInfo())),
    'PUT /info': sessions.requireSession(async (request, session) => {
      await session.updateSessionInfo(await request.json() as AppInfo)
      return Response.json({})
    }),
    'POST /revoke': sessions.requireSession(async (_, session) => {
      await session.revokeSession()
      return Response.json({})
    }),
    'POST /echo': sessions.requireSession(request => new Response(request.body)),
    'GET /page': page,
    'POST /page': page,
    'GET /stream': sessions.requireSession(() => new Response(pieces(fixture.gate))),
    'POST /steps': sessions.handler(async (request, headers) => (
      new Response(await fixture.follow(sessions, [request, headers], await request.json()))
    )),
    'GET /callback': answerCallback,
    'POST /callback': answerCallback,
    'POST /relogin': sessions.handler(async (request, headers) => {
      const { userId } = await request.json() as { userId: string }
      await sessions.createNewSession(request, headers, userId)
      return answerSession(request)
    }),
    'GET /fail': sessions.requireSession(() => {
      throw fixture.failure
    }),
  }

  const answerAny = sessions.requireSession(() => {
    fixture.visit()
    return Response.json({})
  })

  const answerOwn = sessions.sessionRoutes()
  const serve: Route = async request => {
    const own = await answerOwn(request)
    if (own !== null) return own
    const { pathname } = new URL(request.url)
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const path = pathname.startsWith(fixture.prefix) ? pathname.slice(fixture.prefix.length) : null
    const route = path === '/any' ? answerAny : routes[`${method} ${path}`]
    if (route === undefined) return new Response(null, { status: 404 })
    try {
      const response = await route(request)
      return request.method === 'HEAD' ? new Response(null, response) : response
    } catch (error) {
      const headers = { 'x-app-error': error instanceof Error ? error.message : '' }
      return new Response(null, { status: 500, headers })
    }
  }
  return fixture.cors ? sessions.cors(serve) : serve
}
