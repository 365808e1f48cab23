import { createServer } from 'node:http'
import { PassThrough } from 'node:stream'
import { json, text } from 'node:stream/consumers'
import Koa from 'koa'
import type { Context, Middleware } from 'koa'
import { koaSessions } from '../../../src/frameworks/koa.ts'
import { createSessions } from '../../../src/index.ts'
import {
  createAppFixture, describePage, describeReading, describeSession,
} from '../../../src/testing/framework-contract.ts'
import type { AppClaims, AppInfo, AppVariant } from '../../../src/testing/framework-contract.ts'
import { listen } from '../../support/serve-web.ts'
import type { RunningApp } from '../../support/serve-web.ts'

type Route = (context: Context) => unknown

/** The application of the framework contract on Koa, with its own router. */
export function startKoaApp(variant: AppVariant): Promise<RunningApp> {
  const fixture = createAppFixture(variant)
  const sessions = koaSessions(createSessions<AppClaims, AppInfo>(fixture.options), { onError: fixture.report })

  const describe = (context: Context): void => {
    context.body = describeSession(sessions.sessionOf(context))
  }
  const explicit = (settings?: boolean): Route => async context => {
    context.body = describeSession(await sessions.getSession(context, settings))
  }
  const page: Route = async context => {
    context.body = describePage(sessions.sessionOf(context), await text(context.req))
  }
  const callback: Route = async context => {
    const session = await sessions.createNewSession(context, { userId: 'alice', allowCrossSitePost: true })
    context.body = { handle: session.getHandle() }
  }
  const open: Readonly<Record<string, Route>> = {
    'POST /control': async context => {
      context.type = 'json'
      context.body = await fixture.control(sessions, await json(context.req))
    },
    'POST /login': async context => {
      context.set('access-control-expose-headers', 'x-app')
      context.cookies.set('first', '1')
      const { userId, payload } = await json(context.req) as { userId: string; payload: AppClaims }
      const session = await sessions.createNewSession(context, userId, payload)
      context.cookies.set('second', '2')
      context.set('cache-control', 'public, max-age=60')
      context.body = { handle: session.getHandle() }
    },
    'POST /steps': async context => {
      context.type = 'json'
      context.body = await fixture.follow(sessions, [context], await json(context.req))
    },
    'GET /callback': callback,
    'POST /callback': callback,
    'GET /me': explicit(),
    'GET /reading': async context => {
      context.body = describeReading(await sessions.readSession(context))
    },
    'GET /optional': async context => {
      const session = await sessions.getSession(context, { required: false })
      context.body = { userId: session?.getUserId() ?? null }
    },
    'GET /always': explicit(true),
    'POST /never': explicit(false),
  }
  const guarded: Readonly<Record<string, Route>> = {
    'GET /guarded': context => {
      context.set('cache-control', 'private, max-age=60')
      describe(context)
    },
    ...Object.fromEntries(['POST', 'PUT', 'PATCH', 'DELETE'].map(method => [`${method} /act`, describe])),
    'POST /payload': async context => {
      await sessions.sessionOf(context).updateJwtPayload(await json(context.req) as AppClaims)
      describe(context)
    },
    'GET /info': async context => {
      context.body = await sessions.sessionOf(context).getSessionInfo()
    },
    'PUT /info': async context => {
      await sessions.sessionOf(context).updateSessionInfo(await json(context.req) as AppInfo)
      context.body = {}
    },
    'POST /revoke': async context => {
      await sessions.sessionOf(context).revokeSession()
      context.body = {}
    },
    'POST /echo': async context => {
      context.body = await text(context.req)
    },
    'GET /stream': context => {
      const body = new PassThrough()
      context.body = body
      body.write('one\n')
      void fixture.gate().then(() => body.end('two\n'))
    },
    'POST /relogin': describe,
    'GET /fail': () => {
      throw fixture.failure
    },
  }

  const app = new Koa()
  app.use(async (context, next) => {
    try {
      await next()
    } catch (error) {
      context.status = 500
      context.set('x-app-error', error instanceof Error ? error.message : '')
      context.body = ''
    }
  })
  app.use(mount(fixture.prefix, [
    ...fixture.cors ? [sessions.cors()] : [],
    sessions.errorHandler(),
    sessions.sessionRoutes(),
    route(open),
    under('/any', sessions.requireSession()),
    under('/any', async context => {
      fixture.visit()
      context.body = {}
    }),
    only('GET /admin', sessions.requireSession(fixture.adminOnly)),
    route({ 'GET /admin': describe }),
    only('POST /relogin', async (context, next) => {
      const { userId } = await json(context.req) as { userId: string }
      await sessions.createNewSession(context, userId)
      await next()
    }),
    only(['GET /page', 'POST /page'], sessions.requireSession(fixture.pages)),
    route({ 'GET /page': page, 'POST /page': page }),
    only(Object.keys(guarded), sessions.requireSession()),
    route(guarded),
  ]))
  return listen(createServer(app.callback()))
}

/** Removes the prefix from the path, as koa-mount does. */
function mount(prefix: string, middlewares: readonly Middleware[]): Middleware {
  const compose = (index: number): Middleware => async (context, next) => {
    const middleware = middlewares[index]
    if (middleware === undefined) await next()
    else await middleware(context, () => compose(index + 1)(context, next))
  }
  return async (context, next) => {
    const { path } = context
    if (!path.startsWith(prefix)) {
      await next()
      return
    }
    context.path = path.slice(prefix.length)
    await compose(0)(context, next)
  }
}

function nameOf({ method, path }: Context): string {
  return `${method === 'HEAD' ? 'GET' : method} ${path}`
}

function only(names: string | readonly string[], middleware: Middleware): Middleware {
  return (context, next) => [names].flat().includes(nameOf(context)) ? middleware(context, next) : next()
}

function under(path: string, middleware: Middleware): Middleware {
  return (context, next) => context.path === path ? middleware(context, next) : next()
}

function route(routes: Readonly<Record<string, Route>>): Middleware {
  return async (context, next) => {
    const handle = routes[nameOf(context)]
    if (handle === undefined) await next()
    else await handle(context)
  }
}
