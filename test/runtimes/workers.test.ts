import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { runtimeProgram } from '../support/runtimes/install.ts'
import type { RunningProgram } from '../support/runtimes/start-program.ts'
import { serveWorker } from '../support/runtimes/workerd.ts'
import { AT, SAME_ORIGIN } from '../support/session-server.ts'

const workerd = runtimeProgram('workerd')

describe.skipIf(workerd === null)('a worker that creates sessions and stores as its module loads', () => {
  let worker: RunningProgram
  let origin: string

  beforeAll(async () => {
    worker = await serveWorker(workerd ?? '', 'test/runtimes/apps/module-level-worker.ts', { worker: {} })
    origin = `http://127.0.0.1:${worker.ports.get('worker')}`
  })

  afterAll(() => worker.close())

  async function login(): Promise<string> {
    const reply = await fetch(`${origin}/login`, { method: 'POST', headers: SAME_ORIGIN })
    expect(reply.status).toBe(200)
    return reply.headers.getSetCookie().map(line => line.split(';')[0]).join('; ')
  }

  test('L-26: serves sessions, and every store opens at the first call', async () => {
    expect(await login()).toContain(AT)
    const reply = await fetch(`${origin}/stores`)
    const { said, others } = await reply.json() as { said: string[], others: number }
    expect(said).toEqual([
      'memory', ...['postgres', 'mysql'].map(name => (
        expect.stringMatching(new RegExp(`^${name}: .*reached ${name}`))
      )),
    ])
    expect(others).toBe(3)
  })

  test('L-26: the Redis store, with the modules of Node', async () => {
    const entry = 'test/runtimes/apps/node-module-level-worker.ts'
    const other = await serveWorker(workerd ?? '', entry, { worker: {} }, ['keyturn-source'], ['nodejs_compat'])
    try {
      expect(await (await fetch(`http://127.0.0.1:${other.ports.get('worker')}/`)).text()).toBe('reached redis')
    } finally {
      await other.close()
    }
  })

  test.each(['web', 'hono'])('L-12: a 101 response behind requireSession opens the socket: %s', async path => {
    const cookie = await login()
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/${path}`, {
      headers: { cookie, origin: 'https://app.example.com' },
    })
    const upgraded = once(socket, 'upgrade')
    const [[message], [{ headers }]] = await Promise.all([once(socket, 'message'), upgraded])
    expect(String(message)).toBe('hello alice')
    expect(headers['x-app']).toBe('own')
    expect(headers['set-cookie']?.map((line: string) => line.split('=')[0])).toEqual([AT, `${AT}Mac`])
    socket.terminate()
  })

  test.each(['web', 'hono'])('L-12: without a session there is no socket: %s', async path => {
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/${path}`, {
      headers: { origin: 'https://app.example.com' },
    })
    const [, response] = await once(socket, 'unexpected-response')
    expect(response.statusCode).toBe(401)
    response.destroy()
  })
})
