import 'reflect-metadata'
import { createServer } from 'node:http'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import express from 'express'
import fastify from 'fastify'
import { H3 } from 'h3'
import { toNodeHandler } from 'h3/node'
import { Hono } from 'hono'
import { cors as honoCors } from 'hono/cors'
import Koa from 'koa'
import { describe, expect, test } from 'vitest'
import { expressSessions } from '../../src/frameworks/express.ts'
import { fastifySessions } from '../../src/frameworks/fastify.ts'
import { h3Sessions } from '../../src/frameworks/h3.ts'
import { honoSessions } from '../../src/frameworks/hono.ts'
import { koaSessions } from '../../src/frameworks/koa.ts'
import { nextSessions } from '../../src/frameworks/next.ts'
import { nodeSessions } from '../../src/frameworks/node.ts'
import { webSessions } from '../../src/frameworks/web.ts'
import { corsHeaders, createSessions } from '../../src/index.ts'
import type { CorsOptions } from '../../src/index.ts'
import { inMemory } from '../../src/testing/index.ts'
import { listen, serveWeb } from '../support/serve-web.ts'
import type { RunningApp } from '../support/serve-web.ts'
import { ORIGIN } from '../support/session-server.ts'

const FRONT_END = 'https://www.example.com'
const bare = createSessions({ origin: ORIGIN, trustedOrigins: [FRONT_END, 'capacitor://localhost'], ...inMemory() })
const own: CorsOptions = { allowedHeaders: ['Traceparent', 'rid'], exposedHeaders: ['x-total-count'] }

const apps: Readonly<Record<string, () => RunningApp | Promise<RunningApp>>> = {
  'node:http': () => {
    const cors = nodeSessions(bare).cors(own)
    return listen(createServer(async (request, response) => {
      if (!await cors(request, response)) response.end()
    }))
  },
  Express: () => listen(createServer(express().use(expressSessions(bare).cors(own)).get('/', (_, response) => {
    response.end()
  }))),
  Fastify: async () => {
    const app = fastify()
    const sessions = fastifySessions(bare)
    app.addHook('onRequest', sessions.cors(own)).get('/', async () => '').options('/', async () => '')
    const address = await app.listen({ port: 0, host: '127.0.0.1' })
    return { port: Number(new URL(address).port), close: () => app.close() }
  },
  Koa: () => {
    const app = new Koa().use(koaSessions(bare).cors(own)).use(context => {
      context.body = ''
    })
    return listen(createServer(app.callback()))
  },
  Hono: () => {
    const app = new Hono().use(honoSessions(bare).cors(own)).get('/', context => context.text(''))
    return serveWeb(request => app.fetch(request))
  },
  h3: () => listen(createServer(toNodeHandler(new H3().use(h3Sessions(bare).cors(own)).get('/', () => '')))),
  web: () => {
    const app = webSessions(bare).cors(() => new Response(''), own)
    return serveWeb(app)
  },
  'the routes of Next': () => {
    const never = (): Promise<never> => Promise.reject(new Error('is not called'))
    const { GET, OPTIONS } = nextSessions(bare, { headers: never, cookies: never, io: never }).sessionRoutes(own)
    return serveWeb(request => request.method === 'OPTIONS' ? OPTIONS(request) : GET(request))
  },
}

const namesOf = (response: Response, header: string): readonly string[] => (
  (response.headers.get(header) ?? '').split(', ').map(name => name.toLowerCase()).toSorted()
)

async function ask(app: RunningApp, method: string, origin: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${app.port}/`, {
    method, headers: { origin, ...method === 'OPTIONS' ? { 'access-control-request-method': 'GET' } : {} },
  })
}

describe('L-13: cors() takes headers of the application', () => {
  test.each(Object.entries(apps))('%s', async (_, start) => {
    const app = await start()
    try {
      for (const origin of [FRONT_END, 'capacitor://localhost']) {
        const preflight = await ask(app, 'OPTIONS', origin)
        expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, origin])
        expect(namesOf(preflight, 'access-control-allow-headers'))
          .toEqual([...corsHeaders.allowedHeaders, 'traceparent'].toSorted())
        expect(namesOf(await ask(app, 'GET', origin), 'access-control-expose-headers'))
          .toEqual([...corsHeaders.exposedHeaders, 'x-total-count'].toSorted())
      }
      for (const origin of ['null', 'https://localhost', 'capacitor://localhost.evil.example']) {
        expect((await ask(app, 'OPTIONS', origin)).headers.get('access-control-allow-headers')).toBeNull()
      }
    } finally {
      await app.close()
    }
  })

  test('rejects "*", which browsers ignore with credentials, and names that are none', () => {
    for (const name of ['*', 'a b', 'a:b', '', 'a\r\nb']) {
      expect(() => expressSessions(bare).cors({ allowedHeaders: [name] }), name)
        .toThrow('allowedHeaders[0] must be the name of a header')
    }
    expect(() => webSessions(bare).cors(() => new Response(), { exposedHeaders: ['*'] })).toThrow('exposedHeaders[0]')
  })
})

describe('L-13: the headers of Keyturn in another CORS package', () => {
  const origin = [FRONT_END]

  async function expectAll(app: RunningApp): Promise<void> {
    try {
      const preflight = await ask(app, 'OPTIONS', FRONT_END)
      expect(namesOf(preflight, 'access-control-allow-headers').flatMap(name => name.split(',')).toSorted())
        .toEqual(corsHeaders.allowedHeaders.toSorted())
      const response = await ask(app, 'GET', FRONT_END)
      expect(namesOf(response, 'access-control-expose-headers').flatMap(name => name.split(',')).toSorted())
        .toEqual(corsHeaders.exposedHeaders.toSorted())
    } finally {
      await app.close()
    }
  }

  test('of Express, which Nest uses', async () => {
    class Root {}
    Module({})(Root)
    const app = await NestFactory.create(Root, { logger: false, cors: { origin, credentials: true, ...corsHeaders } })
    await app.listen(0, '127.0.0.1')
    await expectAll({ port: Number(new URL(await app.getUrl()).port), close: () => app.close() })
  })

  test('of Hono', async () => {
    const { allowedHeaders, exposedHeaders } = corsHeaders
    const app = new Hono().use(honoCors({
      origin, credentials: true, allowHeaders: allowedHeaders, exposeHeaders: exposedHeaders,
    })).get('/', context => context.text(''))
    await expectAll(await serveWeb(request => app.fetch(request)))
  })
})
