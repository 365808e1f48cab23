import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import secureSession from '@fastify/secure-session'
import { RedisStore } from 'connect-redis'
import session from 'express-session'
import type { Request, Response } from 'express'
import fastify from 'fastify'
import { getIronSession, sealData } from 'iron-session'
import { createClient } from 'redis'
import { startRedis } from '../../support/redis-server.ts'
import { cookieHeader, cookiesOf, createExchange } from '../../support/request.ts'
import { claims, userId } from '../contender.ts'
import type { SetUp } from '../contender.ts'

interface Data {
  userId?: string
}

declare module 'express-session' {
  interface SessionData extends Data {}
}

const secret = randomBytes(32).toString('base64')

const ironSession: SetUp = async () => {
  const options = { password: secret, cookieName: 'session' }
  const cookie = cookieHeader(`session=${await sealData({ ...claims, userId }, options)}`)
  return {
    headers: () => ({ cookie }),
    find: (request, response) => getIronSession<Data>(request, response, options),
    userOf: (found: Data) => found.userId,
  }
}

const secure: SetUp = async () => {
  const app = fastify()
  await app.register(secureSession, { key: randomBytes(32) })
  await app.ready()
  const encrypted = app.encodeSecureSession(app.createSecureSession({ ...claims, userId }))
  const cookie = cookieHeader(`session=${encodeURIComponent(encrypted)}`)
  return {
    headers: () => ({ cookie }),
    find: request => app.decodeSecureSession(app.parseCookie(request.headers.cookie ?? '')['session'] ?? ''),
    userOf: (found: secureSession.Session<Data> | null) => found?.get('userId'),
    close: () => app.close(),
  }
}

function expressSession(openStore: () => Promise<{ readonly store: session.Store; close(): Promise<void> }>): SetUp {
  return async () => {
    const { store, close } = await openStore()
    const middleware = session({ secret, store, resave: false, saveUninitialized: false, cookie: { httpOnly: true } })
    const load = (request: IncomingMessage, response: ServerResponse): Promise<session.Session & Data> =>
      new Promise((resolve, reject) => {
        middleware(request as Request, response as Response, (error?: unknown) => {
          if (error === undefined) resolve((request as Request).session)
          else reject(error)
        })
      })
    const { request, response } = createExchange({})
    const login = Object.assign(await load(request, response), { ...claims, userId })
    await new Promise(resolve => login.save(resolve))
    response.writeHead(200)
    const cookie = cookieHeader(cookiesOf(response)[0] ?? '')
    return {
      headers: () => ({ cookie }),
      find: load,
      userOf: (found: Data) => found.userId,
      close,
    }
  }
}

/** The stores of express-session. */
export const expressStores = {
  memory: async () => ({ store: new session.MemoryStore(), close: async () => {} }),
  async redis() {
    const server = await startRedis()
    if (server === null) throw new Error('redis-server is not installed')
    const client = await createClient({ url: server.url }).connect()
    return {
      store: new RedisStore({ client }),
      async close() {
        client.destroy()
        await server.stop()
      },
    }
  },
}

export const setUps: Readonly<Record<string, SetUp>> = {
  'iron-session': ironSession,
  '@fastify/secure-session': secure,
  'express-session, memory': expressSession(expressStores.memory),
  'express-session, Redis': expressSession(expressStores.redis),
}
