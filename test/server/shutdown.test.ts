// How a server stops, and how it waits for its store when it starts.
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { startServer } from '../../src/server/create-server.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { GeneralError } from '../../src/base/errors.ts'
import { startCoreServer } from '../support/core-server.ts'
import { serveProcess } from '../support/serve-process.ts'
import { freePort } from '../support/servers/workspace.ts'

const folder = mkdtempSync(join(tmpdir(), 'keyturn-shutdown-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Answer { readonly status: number; readonly headers: IncomingHttpHeaders }

/** Sends a request over connections that stay open. */
function ask(agent: Agent, url: string): Promise<Answer | string> {
  return new Promise(resolve => {
    request(url, { agent }, response => {
      response.resume().on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers }))
    }).on('error', error => resolve(error.message)).end()
  })
}

describe('V-08: --shutdown-delay', () => {
  test('first the readiness check fails, then connections are closed by answers, then the server is gone; no request fails', async () => {
    const core = await startCoreServer({ shutdownDelay: 2 })
    const agents = Array.from({ length: 6 }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
    const probe = new Agent()
    const visit = (agent: Agent): Promise<Answer | string> => ask(agent, `${core.url}/v1/keys`)
    for (const agent of agents) expect(await visit(agent)).toMatchObject({ status: 200 })
    const closed = core.server.close()
    expect(await ask(probe, `${core.url}/health/ready`)).toMatchObject({ status: 503 })
    const failures: unknown[] = []
    let sawKept = false
    let leaving = agents
    while (leaving.length > 0) {
      const answers = await Promise.all(leaving.map(visit))
      failures.push(...answers.filter(answer => typeof answer === 'string' || answer.status !== 200))
      sawKept ||= answers.some(answer => typeof answer !== 'string' && answer.headers.connection === 'keep-alive')
      leaving = leaving.filter((_, index) => {
        const answer = answers[index]
        return typeof answer !== 'string' && answer?.headers.connection !== 'close'
      })
    }
    expect([failures, sawKept]).toEqual([[], true])
    await closed
    expect(await ask(probe, `${core.url}/health/ready`)).toContain('ECONNREFUSED')
  })

  test('an idle server stops at once, however long the delay is, and health checks do not count', async () => {
    const core = await startCoreServer({ shutdownDelay: 3600 })
    await core.call('/health/ready')
    await core.server.close()
    expect(core.log.at(-1)).toContain('"msg":"closed"')
  })

  test('a process ends with code 0', async () => {
    const server = await serveProcess(folder, ['--port', '0', '--shutdown-delay', '1h', 'sqlite::memory:'])
    expect(await server.end('SIGTERM')).toBe(0)
  })
})

describe('V-09: --store-wait', () => {
  test('a server whose store answers later starts; without the setting, it does not', async () => {
    let calls = 0
    const openStore = async (): Promise<ReturnType<typeof createMemoryStore>> => {
      calls += 1
      if (calls < 3) throw new GeneralError('STORE_UNAVAILABLE', 'the store does not answer')
      return createMemoryStore()
    }
    const silent = { logLevel: 'silent', port: 0 } as const
    await expect(startServer(silent, { openStore })).rejects.toThrow('the store does not answer')
    calls = 0
    const server = await startServer({ ...silent, storeWait: 60 }, { openStore })
    expect(calls).toBe(3)
    await server.close()
  })

  test('a process that waits can be stopped, with code 0', async () => {
    const port = await freePort()
    const refusing = createServer(socket => socket.destroy())
    refusing.listen(port, '127.0.0.1')
    await once(refusing, 'listening')
    const started = serveProcess(folder, ['--port', '0', '--store-wait', '1h', `redis://127.0.0.1:${port}`], {}, {
      when: 'waiting for it', send: 'SIGTERM',
    })
    await expect(started).rejects.toThrow('keyturn serve ended with 0')
    refusing.close()
  })
})
