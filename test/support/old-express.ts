import type { AddressInfo } from 'node:net'
import express from 'express'
import type { Request, RequestHandler } from 'express'
import { onTestFinished } from 'vitest'
import { requireOld } from './old-systems.ts'

/** A store of express-session, as far as tests pass it on. */
export type ExpressStore = object

interface ExpressSessionModule {
  (options: {
    readonly secret: string | readonly string[]
    readonly resave: boolean
    readonly saveUninitialized: boolean
    readonly name?: string
    readonly store: ExpressStore
    readonly cookie?: { readonly maxAge?: number | null }
  }): RequestHandler
  readonly Store: unknown
  readonly MemoryStore: new () => ExpressStore
}

/** The package express-session. */
export const expressSession = (): ExpressSessionModule => requireOld('express-session')

/** The members that tests write into a session. */
export type OldData = Readonly<Record<string, unknown>>

/** The settings of an application with express-session. */
export interface OldExpressOptions {
  readonly store: ExpressStore
  readonly secret?: string | readonly string[]
  readonly name?: string
  readonly resave?: boolean
  readonly maxAge?: number | null
  /** Runs before the session middleware. */
  readonly before?: RequestHandler
  /** Runs after it. */
  readonly after?: RequestHandler
}

/** The secret of the old application. */
export const OLD_SECRET = 'the secret of the old application'

/** The middleware of express-session as applications use it. */
export function oldMiddleware(
  { store, secret = OLD_SECRET, name, resave = false, maxAge = 86_400_000 }: OldExpressOptions,
): RequestHandler {
  return expressSession()({
    store, secret, resave, saveUninitialized: false, ...name === undefined ? {} : { name }, cookie: { maxAge },
  })
}

/** Starts an application with express-session, until the test is over: `POST /old-login`, `GET /old-me`. */
export async function startOldExpress(options: OldExpressOptions): Promise<number> {
  const app = express()
  if (options.before !== undefined) app.use(options.before)
  app.use(oldMiddleware(options), express.json())
  if (options.after !== undefined) app.use(options.after)
  app.post('/old-login', (request, response) => {
    Object.assign(sessionOf(request), request.body)
    response.send('ok')
  })
  app.get('/old-me', (request, response) => {
    response.json(sessionOf(request))
  })
  const server = app.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  onTestFinished(() => new Promise(resolve => {
    server.closeAllConnections()
    server.close(() => resolve())
  }))
  return (server.address() as AddressInfo).port
}

/** The session that the middleware has found or made. */
export function sessionOf(request: Request): object {
  const session: unknown = Reflect.get(request, 'session')
  if (typeof session === 'object' && session !== null) return session
  throw new Error('express-session did not run')
}
