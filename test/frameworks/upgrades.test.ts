import { createServer, request as sendRequest, ServerResponse } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import express from 'express'
import fastify from 'fastify'
import Koa from 'koa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expressSessions } from '../../src/frameworks/express.ts'
import { fastifySessions } from '../../src/frameworks/fastify.ts'
import { koaSessions } from '../../src/frameworks/koa.ts'
import { nodeSessions } from '../../src/frameworks/node.ts'
import { createSessions } from '../../src/index.ts'
import type { Sessions } from '../../src/index.ts'
import { inMemory, signIn } from '../../src/testing/index.ts'
import { listen } from '../support/serve-web.ts'
import type { RunningApp } from '../support/serve-web.ts'
import { CROSS_SITE, ORIGIN, SAME_ORIGIN } from '../support/session-server.ts'

// WebSocket helpers for Express, Fastify and Koa pass the upgrade to the framework like a request, with a response on
// the bare socket. These servers do the same.

type Handle = (request: IncomingMessage, response: ServerResponse) => void
type BareSessions = Sessions<object, object>

/** A handler behind a guard. It responds with the user id. */
const handlers: Readonly<Record<string, (bare: BareSessions) => Handle | Promise<Handle>>> = {
  'node:http': bare => nodeSessions(bare).requireSession((_, response, session) => {
    response.end(session.getUserId())
  }),
  Express: bare => {
    const sessions = expressSessions(bare)
    const app = express()
    app.use(sessions.requireSession(), (request, response) => {
      response.end(sessions.sessionOf(request).getUserId())
    })
    app.use(sessions.errorHandler())
    return app
  },
  Fastify: async bare => {
    const sessions = fastifySessions(bare)
    const app = fastify()
    app.setErrorHandler(sessions.errorHandler())
    app.get('/live', { onRequest: sessions.requireSession() }, async request => sessions.sessionOf(request).getUserId())
    await app.ready()
    return app.routing
  },
  Koa: bare => {
    const sessions = koaSessions(bare)
    const app = new Koa()
    app.use(sessions.errorHandler())
    app.use(sessions.requireSession())
    app.use(context => {
      context.body = sessions.sessionOf(context).getUserId()
    })
    return app.callback()
  },
}

describe.each(Object.entries(handlers))('S-08: an upgrade that is passed to %s', (name, create) => {
  let bare: BareSessions
  let app: RunningApp

  beforeAll(async () => {
    bare = createSessions<object, object>({ origin: ORIGIN, ...inMemory() })
    const handle = await create(bare)
    const onSocket = (request: IncomingMessage, socket: Duplex): void => {
      const response = new ServerResponse(request)
      if (socket instanceof Socket) response.assignSocket(socket)
      response.on('finish', () => socket.end())
      handle(request, response)
    }
    app = await listen(createServer(handle).on('upgrade', onSocket).on('connect', onSocket))
  })

  afterAll(async () => {
    await app.close()
    await bare.close()
  })

  function open(method: string, headers: Record<string, string>): Promise<number | undefined> {
    const upgrade = method === 'GET' ? { connection: 'upgrade', upgrade: 'websocket' } : {}
    return new Promise((resolve, reject) => {
      const outgoing = sendRequest({
        host: '127.0.0.1', port: app.port, agent: false, method, path: '/live', headers: { ...headers, ...upgrade },
      })
      const answered = ({ statusCode }: IncomingMessage): void => {
        outgoing.destroy()
        resolve(statusCode)
      }
      outgoing.on('response', answered).on('connect', answered).on('error', reject).end()
    })
  }

  test('passes the guard only from the application’s own pages or with a bearer token', async () => {
    const { headers: { cookie = '' } } = await signIn(bare, 'alice')
    const { headers: bearer } = await signIn(bare, 'bob', { mode: 'header' })
    // Fastify has no routes for CONNECT.
    for (const method of name === 'Fastify' ? ['GET'] : ['GET', 'CONNECT']) {
      expect(await open(method, { cookie, ...SAME_ORIGIN }), method).toBe(200)
      expect(await open(method, { cookie, ...CROSS_SITE }), method).toBe(403)
      expect(await open(method, { cookie }), method).toBe(403)
      expect(await open(method, { ...bearer, ...CROSS_SITE }), method).toBe(200)
      expect(await open(method, SAME_ORIGIN), method).toBe(401)
    }
  })
})
