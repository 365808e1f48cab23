// Applications with the console, in each kind of framework, below a path of several segments.
import 'reflect-metadata'
import { createServer } from 'node:http'
import { All, Catch, Controller, createParamDecorator, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import express from 'express'
import fastify from 'fastify'
import { H3 } from 'h3'
import { toNodeHandler } from 'h3/node'
import { Hono } from 'hono'
import Koa from 'koa'
import type { JsonObject } from '../../../src/base/json.ts'
import { expressSessions } from '../../../src/frameworks/express.ts'
import { fastifySessions } from '../../../src/frameworks/fastify.ts'
import { h3Sessions } from '../../../src/frameworks/h3.ts'
import { honoSessions } from '../../../src/frameworks/hono.ts'
import { koaSessions } from '../../../src/frameworks/koa.ts'
import { nestSessions } from '../../../src/frameworks/nest.ts'
import { nodeSessions } from '../../../src/frameworks/node.ts'
import { webSessions } from '../../../src/frameworks/web.ts'
import type { ConsoleOperator, SessionReading, Sessions } from '../../../src/index.ts'
import { listen, serveWeb } from '../../support/serve-web.ts'
import type { RunningApp } from '../../support/serve-web.ts'

export const PATH = '/admin/sessions'

/** The sessions of an application, without the calls of a framework. */
export type Bare = Sessions<JsonObject, JsonObject>
/** Who the header `x-operator` names; else the user whose session the request has, who may only read. */
async function operatorOf(
  header: string | null | undefined, reading: Promise<SessionReading<JsonObject>>,
): Promise<ConsoleOperator | null> {
  if (header === 'manager') return { name: 'ada', role: 'manage' }
  if (header === 'reader') return { name: 'rae', role: 'read' }
  const found = await reading
  return found.kind === 'active' ? { name: found.session.getUserId(), role: 'read' } : null
}
const one = (header: string | string[] | undefined): string | undefined => Array.isArray(header) ? header[0] : header

/** Starts an application with the console at {@link PATH} and a page of its own. `parsed`: a body parser runs first. */
export type Start = (sessions: Bare, parsed: boolean) => RunningApp | Promise<RunningApp>

/** Nest, with the middleware for all paths, as its guide has it. Its body parsers run after all middleware. */
const nest = (platform: 'express' | 'fastify'): Start => async bare => {
  const sessions = nestSessions(bare, { Catch, createParamDecorator })
  class Pages {
    answer(): string {
      return 'the application'
    }
  }
  // Decorators, applied by calls: Node's type stripping does not support decorators in the source.
  Controller()(Pages)
  All(platform === 'express' ? '{*path}' : '*')(Pages.prototype, 'answer', Object.getOwnPropertyDescriptor(Pages.prototype, 'answer') ?? {})
  class Application {}
  Module({ controllers: [Pages] })(Application)
  const quiet = { logger: false } as const
  const app = platform === 'express' ? await NestFactory.create(Application, new ExpressAdapter(), quiet)
    : await NestFactory.create(Application, new FastifyAdapter(), quiet)
  app.use(sessions.sessionRoutes())
  app.use(sessions.console({ path: PATH, authorize: request => operatorOf(one(request.headers['x-operator']), sessions.readSession(request)) }))
  await app.listen(0, '127.0.0.1')
  return { port: app.getHttpServer().address().port, close: () => app.close() }
}

/** By framework. */
export const applications: Readonly<Record<string, Start>> = {
  'Express': (bare, parsed) => {
    const sessions = expressSessions(bare)
    const app = express()
    if (parsed) app.use(express.json())
    app.use(sessions.sessionRoutes())
    app.use(sessions.console({ path: PATH, authorize: request => operatorOf(request.get('x-operator'), sessions.readSession(request)) }))
    app.use((_, response) => void response.send('the application'))
    return listen(createServer(app))
  },
  'Express, on a router below a path': (bare, parsed) => {
    const sessions = expressSessions(bare)
    const router = express.Router()
    if (parsed) router.use(express.json())
    router.use(sessions.console({ path: PATH, authorize: request => operatorOf(request.get('x-operator'), sessions.readSession(request)) }))
    const app = express()
    app.use('/admin', router)
    app.use((_, response) => void response.send('the application'))
    return listen(createServer(app))
  },
  'Fastify': async bare => {
    const sessions = fastifySessions(bare)
    const app = fastify()
    await app.register(sessions.sessionRoutes())
    await app.register(sessions.console({ path: PATH, authorize: request => operatorOf(one(request.headers['x-operator']), sessions.readSession(request)) }))
    app.get('/*', async () => 'the application')
    const address = await app.listen({ port: 0, host: '127.0.0.1' })
    return { port: Number(new URL(address).port), close: () => app.close() }
  },
  'Koa': (bare, parsed) => {
    const sessions = koaSessions(bare)
    const app = new Koa()
    if (parsed) {
      app.use(async (context, next) => {
        let text = ''
        for await (const piece of context.req) text += String(piece)
        Object.assign(context.request, { body: text === '' ? undefined : JSON.parse(text) as unknown })
        await next()
      })
    }
    app.use(sessions.sessionRoutes())
    app.use(sessions.console({ path: PATH, authorize: context => operatorOf(context.get('x-operator'), sessions.readSession(context)) }))
    app.use(context => {
      context.body = 'the application'
    })
    return listen(createServer(app.callback()))
  },
  'Hono': (bare, parsed) => {
    const sessions = honoSessions(bare)
    const app = new Hono()
    if (parsed) {
      app.use(async (context, next) => {
        await context.req.text()
        await next()
      })
    }
    app.use(sessions.sessionRoutes())
    app.use(sessions.console({ path: PATH, authorize: context => operatorOf(context.req.header('x-operator'), sessions.readSession(context)) }))
    app.all('*', context => context.text('the application'))
    return serveWeb(request => app.fetch(request))
  },
  'h3': bare => {
    const sessions = h3Sessions(bare)
    const app = new H3({ silent: true })
    app.use(sessions.sessionRoutes())
    app.use(sessions.console({ path: PATH, authorize: event => operatorOf(event.req.headers.get('x-operator'), sessions.readSession(event)) }))
    app.get('/**', () => 'the application')
    return listen(createServer(toNodeHandler(app)))
  },
  'Nest on Express': nest('express'),
  'Nest on Fastify': nest('fastify'),
  'node:http': bare => {
    const sessions = nodeSessions(bare)
    const console = sessions.console({ path: PATH, authorize: request => operatorOf(one(request.headers['x-operator']), sessions.readSession(request)) })
    return listen(createServer((request, response) => void (async () => {
      if (!await console(request, response)) response.end('the application')
    })()))
  },
  'web handlers': bare => {
    const sessions = webSessions(bare)
    const console = sessions.console({ path: PATH, authorize: request => operatorOf(request.headers.get('x-operator'), sessions.readSession(request)) })
    return serveWeb(async request => await console(request) ?? new Response('the application'))
  },
}
