import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import express from 'express'
import fastify from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { expressSessions } from '../../src/frameworks/express.ts'
import { fastifySessions } from '../../src/frameworks/fastify.ts'
import { nodeSessions } from '../../src/frameworks/node.ts'
import { webSessions } from '../../src/frameworks/web.ts'
import { createSessions } from '../../src/index.ts'
import type { Sessions } from '../../src/index.ts'
import { inMemory, signIn } from '../../src/testing/index.ts'
import { listen } from '../support/serve-web.ts'
import { AT, MAC, ORIGIN, RT, SAME_ORIGIN } from '../support/session-server.ts'

// The cookies of a response that several calls and the application write. Every call of an adapter creates a separate
// `ResponseWriter`.

/** A `Set-Cookie` line of the application with the name of Keyturn's cookie. */
const MINE = `${AT}=mine; path=/; secure`

let sessions: Sessions<{ role?: string }, object>
let close: () => Promise<unknown> = async () => undefined

afterEach(async () => {
  await close()
  await sessions.close()
})

function create(cookie: { readonly accessTokenName?: string; readonly olderDomain?: string } = {}): typeof sessions {
  sessions = createSessions<{ role?: string }, object>({ origin: ORIGIN, cookie, ...inMemory() })
  return sessions
}

/** Serves one request, and returns the `Set-Cookie` lines of the response. */
async function serve(listener: Parameters<typeof createServer>[1]): Promise<readonly string[]> {
  const running = await listen(createServer(listener))
  close = () => running.close()
  const response = await fetch(`http://127.0.0.1:${running.port}/`, { method: 'POST', headers: SAME_ORIGIN })
  expect(response.status).toBe(200)
  return response.headers.getSetCookie()
}

/** Logs in twice, and writes cookies of the application before and between. */
const frameworks: Readonly<Record<string, () => Promise<readonly string[]>>> = {
  'node:http': () => {
    const { createNewSession } = nodeSessions(create())
    return serve(async (request, response: ServerResponse) => {
      response.setHeader('set-cookie', MINE)
      await createNewSession(request, response, 'alice')
      response.appendHeader('set-cookie', 'own=1')
      await createNewSession(request, response, 'bob')
      response.end()
    })
  },
  Express: () => {
    const { createNewSession } = expressSessions(create())
    return serve(express().post('/', async (request, response) => {
      response.append('set-cookie', MINE)
      await createNewSession(request, response, 'alice')
      response.append('set-cookie', 'own=1')
      await createNewSession(request, response, 'bob')
      response.end()
    }))
  },
  Fastify: async () => {
    const { createNewSession } = fastifySessions(create())
    const app = fastify()
    close = () => app.close()
    app.post('/', async (request, reply) => {
      reply.header('set-cookie', MINE)
      await createNewSession(request, reply, 'alice')
      reply.header('set-cookie', 'own=1')
      await createNewSession(request, reply, 'bob')
      return ''
    })
    const lines = (await app.inject({ method: 'POST', url: '/', headers: SAME_ORIGIN })).headers['set-cookie']
    return [lines ?? []].flat()
  },
  web: async () => {
    const { createNewSession } = webSessions(create())
    const request = new Request(ORIGIN, { method: 'POST', headers: SAME_ORIGIN })
    const headers = new Headers({ 'set-cookie': MINE })
    await createNewSession(request, headers, 'alice')
    headers.append('set-cookie', 'own=1')
    await createNewSession(request, headers, 'bob')
    return new Response('', { headers }).headers.getSetCookie()
  },
}

describe.each(Object.entries(frameworks))('%s', (_, logInTwice) => {
  test('CMP-12: there is one line for each cookie of Keyturn, after those of the application, which all stay', async () => {
    const lines = await logInTwice()
    expect(lines.map(line => line.split('=')[0])).toEqual([AT, 'own', AT, MAC, RT])
    expect(lines.slice(0, 2)).toEqual([MINE, 'own=1'])
    const headers = { cookie: lines[2]?.split(';')[0] ?? '' }
    const found = await webSessions(sessions).getSession(new Request(ORIGIN, { headers }), new Headers())
    expect(found.getUserId()).toBe('bob')
  })
})

test('CMP-12: leftover cookies are cleared once, whatever happens to the session afterwards', async () => {
  const { getSession } = webSessions(create({ accessTokenName: 'at', olderDomain: 'example.com' }))
  const { accessToken } = await signIn(sessions, 'alice')
  const cookie = `at=${accessToken}; at=${(await signIn(sessions, 'alice')).accessToken.slice(0, -4)}AAAA`
  const headers = new Headers()
  const session = await getSession(new Request(ORIGIN, { headers: { ...SAME_ORIGIN, cookie } }), headers)
  const linesOf = (): readonly string[] => headers.getSetCookie().filter(line => line.startsWith('at='))
  const before = linesOf()
  await session.updateJwtPayload({ role: 'admin' })
  expect([linesOf().length, linesOf().slice(0, -1)]).toEqual([before.length, before.slice(0, -1)])
  await session.revokeSession()
  const after = linesOf()
  expect(after.length).toBe(before.length)
  expect(after.every(line => line.startsWith('at=; '))).toBe(true)
  expect(new Set(after).size).toBe(after.length)
})
