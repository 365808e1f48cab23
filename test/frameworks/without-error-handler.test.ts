import { createServer } from 'node:http'
import express from 'express'
import fastify from 'fastify'
import Koa from 'koa'
import { afterEach, expect, test, vi } from 'vitest'
import { expressSessions } from '../../src/frameworks/express.ts'
import { fastifySessions } from '../../src/frameworks/fastify.ts'
import { koaSessions } from '../../src/frameworks/koa.ts'
import { createSessions } from '../../src/index.ts'
import { inMemory } from '../../src/testing/index.ts'
import { listen } from '../support/serve-web.ts'
import type { RunningApp } from '../support/serve-web.ts'
import { ORIGIN } from '../support/session-server.ts'

// Applications whose only route needs a session and which do not mount Keyturn's error handler. Hono and h3 read the
// status only of their own errors, so they need it.

const bare = createSessions({ origin: ORIGIN, ...inMemory() })

const applications: Readonly<Record<string, () => RunningApp | Promise<RunningApp>>> = {
  Express: () => {
    const app = express()
    // Mounted too early: the errors of later routes do not reach it.
    app.use(expressSessions(bare).errorHandler())
    app.get('/', async (request, response) => {
      response.send((await expressSessions(bare).getSession(request, response)).getUserId())
    })
    return listen(createServer(app))
  },
  Fastify: async () => {
    const app = fastify({ logger: { stream: { write: line => console.error(line) } } })
    app.get('/', async (request, reply) => (await fastifySessions(bare).getSession(request, reply)).getUserId())
    const address = await app.listen({ port: 0, host: '127.0.0.1' })
    return { port: Number(new URL(address).port), close: () => app.close() }
  },
  Koa: () => {
    const app = new Koa()
    app.use(async context => {
      context.body = (await koaSessions(bare).getSession(context)).getUserId()
    })
    return listen(createServer(app.callback()))
  },
}

afterEach(() => vi.restoreAllMocks())

test.each(Object.entries(applications))('L-06: %s answers 401 by itself, and prints no stack', async (_, start) => {
  const printed: string[] = []
  for (const method of ['error', 'warn', 'log'] as const) {
    vi.spyOn(console, method).mockImplementation((...values: unknown[]) => {
      printed.push(values.map(value => value instanceof Error ? value.stack : String(value)).join(' '))
    })
  }
  const app = await start()
  try {
    expect((await fetch(`http://127.0.0.1:${app.port}/`)).status).toBe(401)
    expect(printed.join('\n')).not.toMatch(/\n\s+at |\\n\s+at /)
  } finally {
    await app.close()
  }
})
