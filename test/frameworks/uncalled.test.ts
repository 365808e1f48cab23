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

// Applications that pass `requireSession` without calling it. In most frameworks the compiler reports this mistake.

const bare = createSessions({ origin: ORIGIN, ...inMemory() })

const message = (name: string): string => `the framework called ${name}: pass it ${name}(), not ${name}`

/** Starts an application whose only route has an uncalled guard. `visit` is its handler; `onError` gets its errors. */
type Start = (visit: () => string, onError: (error: unknown) => void) => RunningApp | Promise<RunningApp>

const guarded: Readonly<Record<string, Start>> = {
  Express: (visit, onError) => {
    const app = express()
    // @ts-expect-error: it is not called
    app.get('/', expressSessions(bare).requireSession, (_, response) => {
      response.send(visit())
    })
    app.use(((error, _request, response, _next) => {
      onError(error)
      response.status(500).end()
    }) satisfies express.ErrorRequestHandler)
    return listen(createServer(app))
  },
  Fastify: async (visit, onError) => {
    const app = fastify()
    app.setErrorHandler((error, _, reply) => {
      onError(error)
      reply.code(500).send()
    })
    // @ts-expect-error: it is not called
    app.get('/', { preHandler: fastifySessions(bare).requireSession }, async () => visit())
    const address = await app.listen({ port: 0, host: '127.0.0.1' })
    return { port: Number(new URL(address).port), close: () => app.close() }
  },
  Koa: (visit, onError) => {
    const app = new Koa().on('error', onError)
    app.use(koaSessions(bare).requireSession)
    app.use(context => {
      context.body = visit()
    })
    return listen(createServer(app.callback()))
  },
  Hono: (visit, onError) => {
    const app = new Hono().onError((error, context) => {
      onError(error)
      return context.body(null, 500)
    })
    // @ts-expect-error: it is not called
    app.get('/', honoSessions(bare).requireSession, context => context.text(visit()))
    return serveWeb(request => app.fetch(request))
  },
  h3: (visit, onError) => {
    const app = new H3({
      silent: true,
      onError({ cause }) {
        onError(cause)
      },
    })
    // @ts-expect-error: it is not called
    app.use(h3Sessions(bare).requireSession)
    app.get('/', visit)
    return listen(createServer(toNodeHandler(app)))
  },
}

describe('L-25: requireSession that was not called', () => {
  test.each(Object.entries(guarded))('fails the request in %s with an error that says why', async (_, start) => {
    const errors: unknown[] = []
    let visits = 0
    const app = await start(() => {
      visits += 1
      return 'in'
    }, error => errors.push(error))
    try {
      const response = await fetch(`http://127.0.0.1:${app.port}/`)
      expect([response.status, visits]).toEqual([500, 0])
      expect(errors).toEqual([expect.objectContaining({ code: 'MISUSE', message: message('requireSession') })])
    } finally {
      await app.close()
    }
  })

  test('throws in Socket.IO, and upgrade throws in ws, where a socket would wait', () => {
    class FrameworkObject {}
    const calling = (call: CallableFunction, given: readonly unknown[]) => () => Reflect.apply(call, null, given)
    expect(calling(socketIoSessions(bare).requireSession, [new FrameworkObject(), () => undefined]))
      .toThrow(message('requireSession'))
    expect(calling(wsSessions(bare).upgrade, [new FrameworkObject(), new FrameworkObject(), new Uint8Array()]))
      .toThrow('upgrade(server)')
  })
})
