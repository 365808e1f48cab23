import { createRequire } from 'node:module'
import { join } from 'node:path'
import fastify from 'fastify'
import type { FastifyInstance, FastifyPluginCallback } from 'fastify'
import { beforeAll, describe, expect, test } from 'vitest'
import { fastifySessions } from '../../src/frameworks/fastify.ts'
import { createSessions } from '../../src/index.ts'
import { inMemory, signIn } from '../../src/testing/index.ts'
import { ORIGIN } from '../support/session-server.ts'
import { installAppPackages } from './support/example-app.ts'

/** What the plugins decorate requests with: values that live longer than one request. */
interface WithValues {
  readonly session: { get(name: string): unknown; set(name: string, value: unknown): void }
}

/** A plugin of the packages that the test installs. */
type Load = (name: string) => FastifyPluginCallback<Readonly<Record<string, unknown>>>

let load: Load

beforeAll(() => {
  load = createRequire(join(installAppPackages('fastify-plugins'), 'package.json'))
}, 240_000)

const secret = 'x'.repeat(32)
const plugins: Readonly<Record<string, (app: FastifyInstance) => unknown>> = {
  '@fastify/session': app => app.register(load('@fastify/cookie'))
    .register(load('@fastify/session'), { secret, cookieName: 'theirs', cookie: { secure: false } }),
  '@fastify/secure-session': app => app
    .register(load('@fastify/secure-session'), { secret, salt: 'x'.repeat(16), cookieName: 'theirs' }),
}

/** The session object of the plugin. */
function valuesOf(request: object): WithValues['session'] {
  const hasValues = (value: object): value is WithValues => 'session' in value && typeof value.session === 'object'
  if (!hasValues(request)) throw new Error('the request has no session of the plugin')
  return request.session
}

describe.each(Object.keys(plugins))('L-20: beside %s', plugin => {
  test.each(['before', 'after'])('which is registered %s it, both sessions work', async order => {
    const bare = createSessions({ origin: ORIGIN, ...inMemory() })
    const sessions = fastifySessions(bare)
    const app = fastify()
    const registrations = [plugins[plugin], (target: FastifyInstance) => target.register(sessions.sessionRoutes())]
    for (const register of order === 'before' ? registrations : registrations.toReversed()) register?.(app)
    app.setErrorHandler(sessions.errorHandler())
    app.get('/set', sessions.requireSession(async (request, _, session) => {
      valuesOf(request).set('seen', session.getUserId())
      return {}
    }))
    app.get('/get', { onRequest: sessions.requireSession() }, async request => ({
      theirs: valuesOf(request).get('seen'), ours: sessions.sessionOf(request).getUserId(),
    }))
    try {
      const { headers } = await signIn(bare, 'alice')
      const set = await app.inject({ url: '/set', headers })
      expect([set.statusCode, set.body]).toEqual([200, '{}'])
      const theirs = [set.headers['set-cookie'] ?? []].flat().map(line => line.split(';')[0]).join('; ')
      const get = await app.inject({ url: '/get', headers: { ...headers, cookie: `${headers['cookie']}; ${theirs}` } })
      expect(get.json()).toEqual({ theirs: 'alice', ours: 'alice' })
      expect((await app.inject({ url: '/get', headers: { cookie: theirs } })).statusCode).toBe(401)
    } finally {
      await app.close()
    }
  })
})
