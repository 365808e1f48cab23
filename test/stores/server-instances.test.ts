// Four servers on one PostgreSQL behind a round-robin proxy, killed and restarted under load, are as one.
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import type { CoreBody } from '../support/core-server.ts'
import { serveProcess } from '../support/serve-process.ts'
import type { ServeProcess } from '../support/serve-process.ts'
import { createPostgresDatabase } from '../support/servers/postgres.ts'

const postgresUrl = inject('postgresUrl')

describe.skipIf(postgresUrl === null)('four servers on one PostgreSQL', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-instances-'))
  let database: string
  let servers: (ServeProcess | null)[] = []
  let proxy: Server
  let base: string

  beforeAll(async () => {
    database = await createPostgresDatabase(postgresUrl ?? '', 'server_instances')
    servers = await Promise.all(Array.from({ length: 4 }, start))
    proxy = await roundRobin(() => servers.map(server => server === null ? null : Number(new URL(server.url).port)))
    base = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  })

  afterAll(async () => {
    await new Promise(resolve => proxy.close(resolve))
    await Promise.all(servers.map(server => server?.end('SIGKILL')))
    rmSync(folder, { recursive: true, force: true })
  })

  function start(): Promise<ServeProcess> {
    return serveProcess(folder, ['--port', '0', '--store', database])
  }

  /** Calls through the proxy, again and again until somebody answers, as SDKs and load balancers do. */
  async function call(path: string, body: object): Promise<CoreBody> {
    for (let attempt = 0; attempt < 200; attempt++) {
      try {
        const response = await fetch(`${base}${path}`, {
          method: 'POST', headers: { 'cdi-version': '5.4', connection: 'close' }, body: JSON.stringify(body),
          signal: AbortSignal.timeout(5000),
        })
        if (response.status === 200) return await response.json() as CoreBody
      } catch {
        // The server was killed under way: nobody knows whether it did its work.
      }
      await sleep(25)
    }
    throw new Error(`${path} was not answered`)
  }

  test('made their keys together: one of each purpose', async () => {
    const store = createPostgresStore(database)
    expect((await store.listKeys()).map(({ purpose }) => purpose).sort()).toEqual(['core-dynamic', 'core-static', 'refresh'])
    await store.close()
  })

  test('lose no session and see no thief while they are killed and restarted under load', async () => {
    let isOver = false
    const outcomes: string[] = []
    let refreshes = 0
    const client = async (userId: string): Promise<CoreBody> => {
      let current = await call('/recipe/session', {
        userId, userDataInJWT: { userId }, userDataInDatabase: {}, enableAntiCsrf: false,
      })
      while (!isOver) {
        // Two tabs at once: both get the same answer.
        const body = { refreshToken: current.refreshToken.token, enableAntiCsrf: false, useDynamicSigningKey: true }
        const [one, two] = await Promise.all([call('/recipe/session/refresh', body), call('/recipe/session/refresh', body)])
        outcomes.push(one.status, two.status)
        if (one.status !== 'OK' || two.status !== 'OK') return one
        expect(two.refreshToken.token).toBe(one.refreshToken.token)
        refreshes += 1
        const verified = await call('/recipe/session/verify', {
          accessToken: one.accessToken.token, doAntiCsrfCheck: false, enableAntiCsrf: false, checkDatabase: true,
        })
        outcomes.push(verified.status)
        current = one
      }
      return current
    }
    const clients = Array.from({ length: 12 }, (_, index) => client(`user-${index}`))
    for (let round = 0; round < 6; round++) {
      await sleep(250)
      const victim = servers[round % 4]
      servers[round % 4] = null
      // Every other one in order, the others as in a power cut.
      await victim?.end(round % 2 === 0 ? 'SIGKILL' : 'SIGTERM')
      servers[round % 4] = await start()
    }
    isOver = true
    const last = await Promise.all(clients)
    expect(new Set(outcomes)).toEqual(new Set(['OK']))
    expect(last.every(({ status }) => status === 'OK')).toBe(true)
    expect(refreshes).toBeGreaterThan(50)
    const store = createPostgresStore(database)
    expect(await store.listKeys()).toHaveLength(3)
    for (let index = 0; index < 12; index++) {
      expect((await store.listByUser(`user-${index}`, { limit: 10, after: null })).sessions.length).toBeGreaterThan(0)
    }
    await store.close()
    expect(servers.map(server => server?.output()).join('')).not.toContain('used by two parties')
  })
})

/** Gives every new connection to the next server that is there. */
async function roundRobin(ports: () => readonly (number | null)[]): Promise<Server> {
  let next = 0
  const proxy = createServer(incoming => {
    const alive = ports().filter(port => port !== null)
    const port = alive[next++ % alive.length]
    if (port === undefined) {
      incoming.destroy()
      return
    }
    const outgoing = connect(port, '127.0.0.1')
    for (const [from, to] of [[incoming, outgoing], [outgoing, incoming]] as const) {
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
      from.pipe(to)
    }
  })
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  return proxy
}
