import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import express5 from 'express'
import { afterEach, describe, expect, test } from 'vitest'
import { expressSessions } from '../../src/frameworks/express.ts'
import { createSessions } from '../../src/index.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { HttpClient } from '../support/http-client.ts'
import { AT, createTestClock, CROSS_SITE, ORIGIN, REFRESH, SAME_ORIGIN, SIGNOUT } from '../support/session-server.ts'

// Version 4 has no types; the parts that are used here are the same in both.
const express4: typeof express5 = createRequire(import.meta.url)('express4')

let close: () => Promise<void>

afterEach(() => close())

async function start(express: typeof express5): Promise<HttpClient> {
  const clock = createTestClock()
  const sessions = expressSessions(createSessions<{ role?: string }>({
    origin: ORIGIN, store: createMemoryStore(), clock, schedule: () => () => undefined,
  }), { clientIp: request => request.ip ?? null })
  const app = express()
  app.use(sessions.cors(), sessions.sessionRoutes())
  app.post('/login', async (request, response, next) => {
    try {
      await sessions.createNewSession(request, response, 'alice', { role: 'user' })
      response.json({})
    } catch (error) {
      next(error)
    }
  })
  app.get('/me', sessions.requireSession((_, response, session) => {
    response.json({ userId: session.getUserId() })
  }))
  app.post('/act', sessions.requireSession((_, response) => void response.sendStatus(204)))
  app.get('/late', sessions.requireSession(async () => {
    await Promise.resolve()
    throw new TypeError('a bug of the application')
  }))
  const members = express.Router()
  members.use(sessions.requireSession())
  members.get('/me', (request, response) => void response.json({ handle: sessions.sessionOf(request).getHandle() }))
  members.options('/me', (_, response) => void response.sendStatus(204))
  app.use('/members', members)
  for (const [name, thrown] of Object.entries({ nothing: undefined, no: false, route: 'route', router: 'router' })) {
    const odd = sessions.requireSession({ claimValidators: [{ id: name, validate: () => Promise.reject(thrown) }] })
    app.use(`/odd/${name}`, odd, (_, response) => void response.json({ passed: true }))
  }
  app.get('/admin', sessions.requireSession((_, response) => void response.json({}), {
    claimValidators: [{ id: 'role', validate: ({ role }) => ({ isValid: role === 'admin' }) }],
  }))
  app.get('/forgot', (request, response) => void response.json(sessions.sessionOf(request).getUserId()))
  app.use(sessions.errorHandler())
  app.use(((error: unknown, _request, response, _next) => {
    response.status(500).json({ application: error instanceof Error ? error.name : null })
  }) satisfies express5.ErrorRequestHandler)
  const server = await listen(app)
  close = async () => {
    await new Promise(resolve => server.close(resolve))
    await sessions.close()
  }
  return new HttpClient((server.address() as AddressInfo).port, ORIGIN, clock)
}

async function listen(app: RequestListener): Promise<Server> {
  const server = createServer(app)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}

describe.each([['4', express4], ['5', express5]])('Express %s', (_, express) => {
  test('login, both styles of routes, refresh, sign-out', async () => {
    const client = await start(express)
    expect((await client.send('GET', '/me')).body).toBe('{"message":"unauthorised"}')
    expect((await client.send('GET', '/members/me')).status).toBe(401)
    expect((await client.send('OPTIONS', '/members/me')).status).toBe(401)

    expect((await client.send('POST', '/login', { headers: SAME_ORIGIN })).status).toBe(200)
    expect((await client.send('GET', '/me')).body).toBe('{"userId":"alice"}')
    expect(JSON.parse((await client.send('GET', '/members/me')).body).handle).toMatch(/^c/)
    expect((await client.send('POST', '/act', { headers: CROSS_SITE })).status).toBe(403)
    expect((await client.send('POST', '/act', { headers: SAME_ORIGIN })).status).toBe(204)
    expect((await client.send('GET', '/admin')).status).toBe(403)
    expect((await client.send('POST', REFRESH, { headers: SAME_ORIGIN })).body).toBe('{}')
    expect((await client.send('POST', SIGNOUT, { headers: SAME_ORIGIN })).body).toBe('{"status":"OK"}')
    expect(client.jar).toEqual([])
  })

  test('errors of the application reach its own error handler, also asynchronous ones', async () => {
    const client = await start(express)
    await client.send('POST', '/login', { headers: SAME_ORIGIN })
    expect((await client.send('GET', '/late')).body).toBe('{"application":"TypeError"}')
    const forgot = await client.send('GET', '/forgot')
    expect([forgot.status, forgot.body]).toEqual([500, '{"message":"internal error"}'])
  })

  test('S-01: a request does not pass a guard if a validator throws a value that Express does not treat as an error', async () => {
    const client = await start(express)
    await client.send('POST', '/login', { headers: SAME_ORIGIN })
    for (const name of ['nothing', 'no', 'route', 'router']) {
      const reply = await client.send('GET', `/odd/${name}`)
      expect([reply.status, reply.body], name).toEqual([500, '{"application":"Error"}'])
    }
  })

  test('HDR-01: the response to a login is not cached, with or without ETag', async () => {
    const client = await start(express)
    const reply = await client.send('POST', '/login', { headers: SAME_ORIGIN })
    expect(reply.headers['cache-control']).toBe('private, no-store')
    expect(reply.setCookies.map(line => line.split('=')[0])).toContain(AT)
  })
})
