import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { nodeSessions } from '../../../src/frameworks/node.ts'
import { createSessions, isSessionError } from '../../../src/index.ts'
import {
  createAppFixture, describePage, describeReading, describeSession,
} from '../../../src/testing/framework-contract.ts'
import type { AppClaims, AppInfo, AppVariant } from '../../../src/testing/framework-contract.ts'
import { listen } from '../../support/serve-web.ts'
import type { RunningApp } from '../../support/serve-web.ts'

type Route = (request: IncomingMessage, response: ServerResponse) => unknown

/** The application of the framework contract on plain node:http. */
export function startNodeApp(variant: AppVariant): Promise<RunningApp> {
  const fixture = createAppFixture(variant)
  const sessions = nodeSessions(createSessions<AppClaims, AppInfo>(fixture.options), { onError: fixture.report })

  const guard = sessions.requireSession()
  const answerSession = sessions.requireSession((_, response, session) => json(response, describeSession(session)))
  const answerCallback: Route = async (request, response) => {
    const session = await sessions.createNewSession(request, response, { userId: 'alice', allowCrossSitePost: true })
    json(response, { handle: session.getHandle() })
  }
  const page = sessions.requireSession(async (request, response, session) => {
    response.end(describePage(session, await text(request)))
  }, fixture.pages)
  const routes: Readonly<Record<string, Route>> = {
    'POST /control': async (request, response) => {
      response.end(await fixture.control(sessions, JSON.parse(await text(request))))
    },
    'POST /login': async (request, response) => {
      response.setHeader('access-control-expose-headers', 'x-app')
      response.setHeader('set-cookie', 'first=1; Path=/')
      const { userId, payload } = JSON.parse(await text(request))
      const session = await sessions.createNewSession(request, response, userId, payload)
      response.appendHeader('set-cookie', 'second=2; Path=/')
      response.writeHead(200, { 'cache-control': 'public, max-age=60', 'content-type': 'application/json' })
      response.end(JSON.stringify({ handle: session.getHandle() }))
    },
    'GET /me': async (request, response) => {
      json(response, describeSession(await sessions.getSession(request, response)))
    },
    'GET /reading': async (request, response) => {
      json(response, describeReading(await sessions.readSession(request)))
    },
    'GET /guarded': (request, response) => guard(request, response, () => {
      response.setHeader('cache-control', 'private, max-age=60')
      json(response, describeSession(sessions.sessionOf(request)))
    }),
    ...Object.fromEntries(['POST', 'PUT', 'PATCH', 'DELETE'].map(method => [`${method} /act`, answerSession])),
    'GET /optional': async (request, response) => {
      const session = await sessions.getSession(request, response, { required: false })
      json(response, { userId: session?.getUserId() ?? null })
    },
    'GET /admin': sessions.requireSession(
      (_, response, session) => json(response, describeSession(session)), fixture.adminOnly,
    ),
    'GET /always': async (request, response) => {
      json(response, describeSession(await sessions.getSession(request, response, true)))
    },
    'POST /never': async (request, response) => {
      json(response, describeSession(await sessions.getSession(request, response, false)))
    },
    'POST /payload': async (request, response) => {
      const session = await sessions.getSession(request, response)
      await session.updateJwtPayload(JSON.parse(await text(request)))
      json(response, describeSession(session))
    },
    'GET /info': async (request, response) => {
      const session = await sessions.getSession(request, response)
      json(response, await session.getSessionInfo())
    },
    'PUT /info': async (request, response) => {
      const session = await sessions.getSession(request, response)
      await session.updateSessionInfo(JSON.parse(await text(request)))
      json(response, {})
    },
    'POST /revoke': async (request, response) => {
      await (await sessions.getSession(request, response)).revokeSession()
      json(response, {})
    },
    'POST /echo': sessions.requireSession((request, response) => request.pipe(response)),
    'GET /page': page,
    'POST /page': page,
    'GET /stream': sessions.requireSession(async (_, response) => {
      response.write('one\n')
      await fixture.gate()
      response.end('two\n')
    }),
    'POST /steps': async (request, response) => {
      response.end(await fixture.follow(sessions, [request, response], JSON.parse(await text(request))))
    },
    'GET /callback': answerCallback,
    'POST /callback': answerCallback,
    'POST /relogin': async (request, response) => {
      await sessions.createNewSession(request, response, JSON.parse(await text(request)).userId)
      await guard(request, response, () => json(response, describeSession(sessions.sessionOf(request))))
    },
    'GET /fail': async (request, response) => {
      await sessions.getSession(request, response)
      throw fixture.failure
    },
  }
  const answerAny = sessions.requireSession((_, response) => {
    fixture.visit()
    json(response, {})
  })

  const answerCors = sessions.cors()
  const answerOwn = sessions.sessionRoutes()
  const answerError = sessions.errorHandler()
  return listen(createServer((request, response) => void (async () => {
    try {
      if (fixture.cors && await answerCors(request, response)) return
      if (await answerOwn(request, response)) return
      const { pathname } = new URL(request.url ?? '/', fixture.options.origin)
      const method = request.method === 'HEAD' ? 'GET' : request.method
      const path = pathname.startsWith(fixture.prefix) ? pathname.slice(fixture.prefix.length) : null
      const route = path === '/any' ? answerAny : routes[`${method} ${path}`]
      if (route === undefined) response.writeHead(404).end()
      else await route(request, response)
    } catch (error) {
      if (isSessionError(error)) answerError(error, request, response)
      else response.writeHead(500, { 'x-app-error': error instanceof Error ? error.message : '' }).end()
    }
  })()))
}

function json(response: ServerResponse, value: unknown): void {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(value))
}
