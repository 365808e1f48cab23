import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import express from 'express'
import fastify from 'fastify'
import type { preHandlerAsyncHookHandler } from 'fastify'
import { verifySession } from 'supertokens-node/recipe/session/framework/express/index.js'
import { createMemoryStore, createSessions, expressSessions, fastifySessions, nodeSessions } from '../support/keyturn.ts'
import type { JsonObject, Sessions } from '../support/keyturn.ts'
import { cookieHeader, cookiesOf, createExchange } from '../support/request.ts'
import { setUps as betterAuth } from '../verify/contenders/better-auth.ts'
import { setUps as cookieSessions } from '../verify/contenders/cookie-sessions.ts'
import { setUps as jwtLibraries } from '../verify/contenders/jwt-libraries.ts'
import { setUps as supertokens, startSupertokens } from '../verify/contenders/supertokens.ts'
import { claims, userId } from '../verify/contender.ts'
import type { SetUp } from '../verify/contender.ts'

/** A route that responds with 50 bytes of JSON, with or without a check of the session. */
export interface Route {
  readonly server: Server
  readonly headers: Readonly<Record<string, string>>
}

/** Creates the server of a route. It does not listen yet. */
export type CreateRoute = () => Promise<Route>

/** Browsers send a session's cookie to an unprotected route too. */
const unused = { cookie: cookieHeader(`__Host-sAccessToken=${'x'.repeat(400)}`) }

const answer = JSON.stringify({ message: 'this is what a small answer is like' })

function send(response: ServerResponse): void {
  response.setHeader('content-type', 'application/json')
  response.end(answer)
}

function onNode(listener: RequestListener, headers: Route['headers'] = {}): Route {
  return { server: createServer(listener), headers }
}

async function keyturn(): Promise<{ readonly sessions: Sessions<JsonObject, JsonObject>; readonly headers: Route['headers'] }> {
  const sessions = createSessions({ origin: 'https://app.example.com', store: createMemoryStore() })
  const { request, response } = createExchange({})
  await nodeSessions(sessions).createNewSession(request, response, userId, claims)
  const cookie = cookieHeader(cookiesOf(response).find(pair => pair.includes('AccessToken')) ?? '')
  return { sessions, headers: { cookie } }
}

type Check = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>

/** A contender of the comparison "verify", as a check before a handler. */
function checkedBy(
  setUp: SetUp | undefined,
  create: (check: Check, headers: Route['headers']) => Route | Promise<Route>,
): CreateRoute {
  return async () => {
    if (setUp === undefined) throw new Error('no such contender')
    const contender = await setUp()
    const check: Check = async (request, response) => (
      contender.userOf(await contender.find(request, response)) === userId
    )
    return create(check, contender.headers(0))
  }
}

function checkedOnNode(check: Check, headers: Route['headers']): Route {
  return onNode(async (request, response) => {
    if (await check(request, response)) send(response)
    else response.writeHead(401).end()
  }, headers)
}

function checkedOnExpress(check: Check, headers: Route['headers']): Route {
  return onExpress(async (request, response, next) => {
    if (await check(request, response)) next()
    else response.sendStatus(401)
  }, headers)
}

function onExpress(middleware: express.RequestHandler | null, headers: Route['headers'] = {}): Route {
  const app = express()
  if (middleware !== null) app.use(middleware)
  app.get('/', (_, response) => void response.type('json').send(answer))
  return { server: createServer(app), headers }
}

async function onFastify(hook: preHandlerAsyncHookHandler | null, headers: Route['headers'] = {}): Promise<Route> {
  const app = fastify()
  app.get('/', hook === null ? {} : { preHandler: hook }, (_, reply) => reply.type('application/json').send(answer))
  await app.ready()
  return { server: app.server, headers }
}

/** All routes, by framework and session library. The first of each framework is unprotected. */
export const routes: Readonly<Record<string, CreateRoute>> = {
  'node:http': async () => onNode((_, response) => send(response), unused),
  'node:http + keyturn': async () => {
    const { sessions, headers } = await keyturn()
    return onNode(nodeSessions(sessions).requireSession((_, response) => send(response)), headers)
  },
  'node:http + fast-jwt, cache': checkedBy(jwtLibraries['fast-jwt EdDSA, cache'], checkedOnNode),
  'node:http + jose': checkedBy(jwtLibraries['jose EdDSA, local JWKS'], checkedOnNode),
  'node:http + supertokens-node': checkedBy(supertokens['supertokens-node RS256'], checkedOnNode),
  'node:http + iron-session': checkedBy(cookieSessions['iron-session'], checkedOnNode),
  'node:http + better-auth, cookie cache': checkedBy(betterAuth['better-auth, cookie cache'], checkedOnNode),
  'express': async () => onExpress(null, unused),
  'express + keyturn': async () => {
    const { sessions, headers } = await keyturn()
    return onExpress(expressSessions(sessions).requireSession(), headers)
  },
  'express + supertokens-node': async () => {
    const { tokens } = await startSupertokens()
    // Its types and express-session's declare the same property of a request.
    const middleware = verifySession() as unknown as express.RequestHandler
    return onExpress(middleware, { authorization: `Bearer ${tokens[0] ?? ''}` })
  },
  'express + express-session, memory': checkedBy(cookieSessions['express-session, memory'], checkedOnExpress),
  'express + express-session, Redis': checkedBy(cookieSessions['express-session, Redis'], checkedOnExpress),
  'fastify': () => onFastify(null, unused),
  'fastify + keyturn': async () => {
    const { sessions, headers } = await keyturn()
    return onFastify(fastifySessions(sessions).requireSession(), headers)
  },
  'fastify + @fastify/secure-session': checkedBy(cookieSessions['@fastify/secure-session'], (check, headers) => (
    onFastify(async (request, reply) => {
      if (!await check(request.raw, reply.raw)) await reply.code(401).send()
    }, headers)
  )),
}
