import fastify from 'fastify'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { H3 } from 'h3'
import type { H3Event } from 'h3'
import { Hono } from 'hono'
import Koa from 'koa'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Request as ExpressRequest, Response as ExpressResponse } from 'express'
import { expectTypeOf, test } from 'vitest'
import { defineAdapter, toResponse, WebResponseWriter, WebRequest } from '../../src/frameworks/adapters.ts'
import type { AdapterStep, CompleteResponse } from '../../src/frameworks/adapters.ts'
import { expressSessions } from '../../src/frameworks/express.ts'
import { fastifySessions } from '../../src/frameworks/fastify.ts'
import { h3Sessions } from '../../src/frameworks/h3.ts'
import { honoSessions } from '../../src/frameworks/hono.ts'
import { koaSessions } from '../../src/frameworks/koa.ts'
import { nodeSessions } from '../../src/frameworks/node.ts'
import { createSessions } from '../../src/index.ts'
import type { Session } from '../../src/index.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { createVerifier } from '../../src/verify.ts'

interface Claims { readonly role: 'reader' | 'admin' }
interface Info { readonly cart: string[] }

const origin = 'https://app.example.com'
const sessions = createSessions<Claims, Info>({ origin, store: createMemoryStore() })

type Found = Session<Claims, Info>

/** Compiled, never run, as is everything here. */
async function onNode(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const node = nodeSessions(sessions)
  expectTypeOf(await node.getSession(request, response)).toEqualTypeOf<Found>()
  expectTypeOf(await node.getSession(request, response, { required: false })).toEqualTypeOf<Found | null>()
  node.requireSession((_request, _response, session) => expectTypeOf(session).toEqualTypeOf<Found>())
  expectTypeOf(await node.requireSession()(request, response)).toEqualTypeOf<boolean>()
  expectTypeOf(node.sessionOf(request)).toEqualTypeOf<Found>()
  const reading = await node.readSession(request)
  if (reading.kind === 'active') expectTypeOf(reading.session.getJwtPayload()).toEqualTypeOf<Readonly<Claims>>()
  // @ts-expect-error: no such role
  await node.createNewSession(request, response, 'ada', { role: 'owner' })
}

async function onExpress(request: ExpressRequest, response: ExpressResponse): Promise<void> {
  const express = expressSessions(sessions)
  expectTypeOf(await express.getSession(request, response, true)).toEqualTypeOf<Found>()
  expectTypeOf(express.sessionOf(request)).toEqualTypeOf<Found>()
  express.requireSession((_request, _response, session) => expectTypeOf(session).toEqualTypeOf<Found>())
}

async function onFastify(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const adapter = fastifySessions(sessions)
  const app = fastify()
  app.register(adapter.sessionRoutes())
  app.setErrorHandler(adapter.errorHandler())
  app.addHook('onRequest', adapter.cors())
  expectTypeOf(await adapter.getSession(request, reply)).toEqualTypeOf<Found>()
  expectTypeOf(await adapter.getSession(request, reply, { required: false })).toEqualTypeOf<Found | null>()
  app.get('/me', { preHandler: adapter.requireSession() }, plain => adapter.sessionOf(plain).getJwtPayload())
  app.get('/typed', adapter.requireSession(({ session }) => {
    expectTypeOf(session).toEqualTypeOf<Found>()
    expectTypeOf(session.getJwtPayload().role).toEqualTypeOf<'reader' | 'admin'>()
    return {}
  }))
  app.post<{ Body: { amount: number } }>('/orders', adapter.requireSession<{ Body: { amount: number } }>(guarded => {
    expectTypeOf(guarded.body.amount).toEqualTypeOf<number>()
    expectTypeOf(guarded.session).toEqualTypeOf<Found>()
    return {}
  }))
  // @ts-expect-error: Fastify's own types are not changed for everybody
  app.get('/untyped', plain => plain.session)
}

function onKoa(): void {
  const adapter = koaSessions(sessions)
  const app = new Koa<{ user: string }>()
  app.use(adapter.cors()).use(adapter.sessionRoutes()).use(adapter.requireSession({ maxAuthenticationAge: 60 }))
  app.use(async context => {
    expectTypeOf(adapter.sessionOf(context)).toEqualTypeOf<Found>()
    expectTypeOf(await adapter.getSession(context, { required: false })).toEqualTypeOf<Found | null>()
    expectTypeOf(await adapter.refreshSession(context)).toEqualTypeOf<Found>()
    context.state.user = adapter.sessionOf(context).getUserId()
  })
}

function onHono(): void {
  const adapter = honoSessions(sessions)
  const app = new Hono<{ Variables: { other: number } }>()
  app.use(adapter.cors(), adapter.sessionRoutes())
  app.onError(adapter.errorHandler())
  app.get('/me', adapter.requireSession(), async context => {
    expectTypeOf(context.var.session).toEqualTypeOf<Found>()
    expectTypeOf(adapter.sessionOf(context)).toEqualTypeOf<Found>()
    expectTypeOf(context.var.other).toEqualTypeOf<number>()
    expectTypeOf(await adapter.getSession(context, false)).toEqualTypeOf<Found>()
    return context.json(context.var.session.getJwtPayload())
  })
  app.get('/open', async context => {
    // @ts-expect-error: nothing has looked for a session here
    const { session } = context.var
    return context.json({ session: session === (await adapter.getSession(context, { required: false })) })
  })
}

async function onH3(event: H3Event): Promise<void> {
  const adapter = h3Sessions(sessions)
  const app = new H3()
  app.use(adapter.cors()).use(adapter.sessionRoutes()).use('/admin/**', adapter.requireSession())
  app.get('/me', adapter.requireSession((_event, session) => {
    expectTypeOf(session).toEqualTypeOf<Found>()
    return session.getJwtPayload()
  }))
  expectTypeOf(adapter.sessionOf(event)).toEqualTypeOf<Found>()
  expectTypeOf(await adapter.getSession(event, { required: false })).toEqualTypeOf<Found | null>()
}

/** An adapter of one's own: what the calls take follows from the target alone. */
async function onAnother(request: Request, context: { headers: Headers }): Promise<void> {
  type Guard = (request: Request) => Promise<Response | null>
  const { calls, guard, answer } = defineAdapter<[Request, { headers: Headers }], Guard, Claims, Info>(sessions.http, {
    call: use => (first, { headers }, ...rest) => (
      use({ request: new WebRequest(first, () => null), reply: new WebResponseWriter(headers) }, ...rest)
    ),
    request: first => new WebRequest(first, () => null),
    middleware: step => async first => {
      const reply = await step({ request: new WebRequest(first, () => null), reply: new WebResponseWriter() }, first)
      return reply === null ? null : toResponse(reply, new Headers(), first.method)
    },
  })
  expectTypeOf(await calls.getSession(request, context)).toEqualTypeOf<Found>()
  expectTypeOf(await calls.getSession(request, context, { required: false })).toEqualTypeOf<Found | null>()
  expectTypeOf(calls.requireSession({ maxAuthenticationAge: 60 })).toEqualTypeOf<Guard>()
  expectTypeOf(calls.sessionOf(request)).toEqualTypeOf<Found>()
  expectTypeOf(guard()).toEqualTypeOf<AdapterStep<[Request, { headers: Headers }]>>()
  expectTypeOf(answer(new Error(), request)).toEqualTypeOf<CompleteResponse>()
  await calls.createNewSession(request, context, 'ada', { role: 'reader' })
  // @ts-expect-error: no such role
  await calls.createNewSession(request, context, 'ada', { role: 'owner' })
  // @ts-expect-error: the target has two parts
  await calls.refreshSession(request)
}

async function atTheEdge(request: Request): Promise<void> {
  const verifier = createVerifier<Claims>({ issuer: `${origin}/auth` })
  const reading = await verifier.readSession(request)
  if (reading.kind !== 'active') return
  expectTypeOf(reading.session.getJwtPayload()).toEqualTypeOf<Readonly<Claims>>()
  // @ts-expect-error: where no response can be written, a session has no writing method
  await reading.session.revokeSession()
}

test('every adapter types its session by the application\'s own types', () => {
  for (const use of [onNode, onExpress, onFastify, onKoa, onHono, onH3, onAnother, atTheEdge]) {
    expectTypeOf(use).toBeFunction()
  }
})
