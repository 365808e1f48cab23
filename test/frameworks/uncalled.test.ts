import { createServer } from 'node:http'
import express from 'express'
import fastify from 'fastify'
import { H3 } from 'h3'
import { toNodeHandler } from 'h3/node'
import { Hono } from 'hono'
import Koa from 'koa'
import { describe, expect, test } from 'vitest'
import { expressSessions } from '../../src/frameworks/express.ts'
import { fastifySessions } from '../../src/frameworks/fastify.ts'
import { h3Sessions } from '../../src/frameworks/h3.ts'
import { honoSessions } from '../../src/frameworks/hono.ts'
import { koaSessions } from '../../src/frameworks/koa.ts'
import { socketIoSessions } from '../../src/frameworks/socketio.ts'
import { wsSessions } from '../../src/frameworks/ws.ts'
import { createSessions } from '../../src/index.ts'
import { inMemory } from '../../src/testing/index.ts'
import { listen, serveWeb } from '../support/serve-web.ts'
import type { RunningApp } from '../support/serve-web.ts'
import { ORIGIN } from '../support/session-server.ts'

// What an application does that forgets the parentheses. The compiler stops it in most frameworks.

const bare = createSessions({ origin: ORIGIN, ...inMemory() })

const message = (name: string): string => `the framework called ${name}: pass it ${name}(), not ${name}`

/** Starts an application whose only route is behind a guard that is not called; `visit` is its handler. */
type Start = (visit: () => string, told: (error: unknown) => void) => RunningApp | Promise<RunningApp>

const guarded: Readonly<Record<string, Start>> = {
  Express: (visit, told) => {
    const app = express()
    // @ts-expect-error: it is not called
    app.get('/', expressSessions(bare).requireSession, (_, response) => {
      response.send(visit())
    })
    app.use(((error, _request, response, _next) => {
      told(error)
      response.status(500).end()
    }) satisfies express.ErrorRequestHandler)
    return listen(createServer(app))
  },
  Fastify: async (visit, told) => {
    const app = fastify()
    app.setErrorHandler((error, _, reply) => {
      told(error)
      reply.code(500).send()
    })
    // @ts-expect-error: it is not called
    app.get('/', { preHandler: fastifySessions(bare).requireSession }, async () => visit())
    const address = await app.listen({ port: 0, host: '127.0.0.1' })
    return { port: Number(new URL(address).port), close: () => app.close() }
  },
  Koa: (visit, told) => {
    const app = new Koa().on('error', told)
    app.use(koaSessions(bare).requireSession)
    app.use(context => {
      context.body = visit()
    })
    return listen(createServer(app.callback()))
  },
  Hono: (visit, told) => {
    const app = new Hono().onError((error, context) => {
      told(error)
      return context.body(null, 500)
    })
    // @ts-expect-error: it is not called
    app.get('/', honoSessions(bare).requireSession, context => context.text(visit()))
    return serveWeb(request => app.fetch(request))
  },
  h3: (visit, told) => {
    const app = new H3({
      silent: true,
      onError({ cause }) {
        told(cause)
      },
    })
    // @ts-expect-error: it is not called
    app.use(h3Sessions(bare).requireSession)
    app.get('/', visit)
    return listen(createServer(toNodeHandler(app)))
  },
}

describe('L-25: requireSession that was not called', () => {
  test.each(Object.entries(guarded))('fails the request in %s, which says why', async (_, start) => {
    const errors: unknown[] = []
    let visits = 0
    const app = await start(() => {
      visits += 1
      return 'in'
    }, error => errors.push(error))
    try {
      const response = await fetch(`http://127.0.0.1:${app.port}/`, { signal: AbortSignal.timeout(10_000) })
      expect([response.status, visits]).toEqual([500, 0])
      expect(errors).toEqual([expect.objectContaining({ code: 'MISUSE', message: message('requireSession') })])
    } finally {
      await app.close()
    }
  })

  test('throws in Socket.IO, and upgrade in ws, where a socket would wait', () => {
    class Handed {}
    const byHand = (call: CallableFunction, given: readonly unknown[]) => () => Reflect.apply(call, null, given)
    expect(byHand(socketIoSessions(bare).requireSession, [new Handed(), () => undefined]))
      .toThrow(message('requireSession'))
    expect(byHand(wsSessions(bare).upgrade, [new Handed(), new Handed(), new Uint8Array()]))
      .toThrow('upgrade(server)')
  })
})
