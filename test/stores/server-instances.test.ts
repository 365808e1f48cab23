// Four servers on one PostgreSQL behind a round-robin proxy act as one while they are killed and restarted under load.
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { createPostgresStore } from '../../src/stores/postgres.ts'
import { decodeJwt } from '../support/core-server.ts'
import type { CoreBody } from '../support/core-server.ts'
import { serveProcess } from '../support/serve-process.ts'
import type { ServeProcess } from '../support/serve-process.ts'
import { createPostgresDatabase } from '../support/servers/postgres.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import type { TcpProxy } from '../support/tcp-proxy.ts'

const postgresUrl = inject('postgresUrl')

/** A server, and what stands between it and the clients that do not choose. */
interface Instance {
  readonly server: ServeProcess
  readonly proxy: TcpProxy
}

describe.skipIf(postgresUrl === null)('four servers on one PostgreSQL', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-instances-'))
  let database: string
  let instances: (Instance | null)[] = []
  let balancer: Server
  let base: string
  /** How many calls broke off without an answer. */
  let broken = 0

  beforeAll(async () => {
    database = await createPostgresDatabase(postgresUrl ?? '', 'server_instances')
    instances = await Promise.all(Array.from({ length: 4 }, start))
    balancer = await roundRobin(() => instances.map(instance => instance?.proxy.port ?? null))
    base = `http://127.0.0.1:${(balancer.address() as AddressInfo).port}`
  })

  afterAll(async () => {
    await new Promise(resolve => balancer.close(resolve))
    await Promise.all(instances.flatMap(each => each === null ? [] : [each.proxy.close(), each.server.end('SIGKILL')]))
    rmSync(folder, { recursive: true, force: true })
  })

  async function start(): Promise<Instance> {
    const server = await serveProcess(folder, ['--port', '0', database])
    return { server, proxy: await startTcpProxy(Number(new URL(server.url).port)) }
  }

  /** Calls through the balancer, again and again until somebody answers, as SDKs and load balancers do. */
  async function call(path: string, body: object): Promise<CoreBody> {
    while (balancer.listening) {
      try {
        const response = await fetch(`${base}${path}`, {
          method: 'POST', headers: { 'cdi-version': '5.4', connection: 'close' }, body: JSON.stringify(body),
        })
        if (response.status === 200) return await response.json() as CoreBody
      } catch {
        // The server was killed under way: nobody knows whether it did its work.
        broken += 1
      }
    }
    throw new Error(`${path} was not answered`)
  }

  test('created their keys together: one of each purpose', async () => {
    const store = createPostgresStore(database)
    expect((await store.listKeys()).map(({ purpose }) => purpose).sort())
      .toEqual(['access', 'core-dynamic', 'core-static', 'refresh'])
    await store.close()
  })

  /** Calls one server directly, without the proxy. */
  async function ask(index: number, path: string, body: object | null = null): Promise<CoreBody> {
    const response = await fetch(`${instances[index]?.server.url}${path}`, {
      headers: { 'cdi-version': '5.4' }, ...body === null ? {} : { method: 'POST', body: JSON.stringify(body) },
    })
    return await response.json() as CoreBody
  }

  const newSession = (userId: string): object => ({
    userId, userDataInJWT: { userId }, userDataInDatabase: {}, enableAntiCsrf: false,
  })
  const verification = (accessToken: string): object => ({
    accessToken, doAntiCsrfCheck: false, enableAntiCsrf: false, checkDatabase: true,
  })

  interface Clients {
    /** Resolves once they have refreshed so many times more. */
    progress(count: number): Promise<void>
    /** How the calls of all of them were answered. */
    stop(): Promise<ReadonlySet<string>>
  }

  /** Clients that refresh and verify without a pause, each with two tabs. */
  function startClients(name: string): Clients {
    let isOver = false
    let refreshes = 0
    let noteProgress = (): void => undefined
    const outcomes = new Set<string>()
    const client = async (userId: string): Promise<void> => {
      let current = await call('/recipe/session', newSession(userId))
      while (!isOver) {
        // Two tabs at once: both get the same answer.
        const body = { refreshToken: current.refreshToken.token, enableAntiCsrf: false, useDynamicSigningKey: true }
        const refresh = (): Promise<CoreBody> => call('/recipe/session/refresh', body)
        const [one, two] = await Promise.all([refresh(), refresh()])
        outcomes.add(one.status).add(two.status)
        if (one.status !== 'OK' || two.status !== 'OK') return
        expect(two.refreshToken.token).toBe(one.refreshToken.token)
        refreshes += 1
        noteProgress()
        outcomes.add((await call('/recipe/session/verify', verification(one.accessToken.token))).status)
        current = one
      }
    }
    const clients = Promise.all(Array.from({ length: 12 }, (_, index) => client(`${name}-${index}`)))
    return {
      progress(count) {
        const aim = refreshes + count
        const reached = new Promise<void>(resolve => {
          noteProgress = () => {
            if (refreshes >= aim) resolve()
          }
        })
        // A client that was refused stops here.
        return Promise.race([reached, clients.then(() => undefined)])
      },
      async stop() {
        isOver = true
        await clients
        return outcomes
      },
    }
  }

  async function restart(index: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const victim = instances[index]
    // Somebody is waiting for its answer, which gets lost.
    if (signal === 'SIGKILL') await victim?.proxy.holdAnswers()
    instances[index] = null
    await victim?.server.end(signal)
    await victim?.proxy.close()
    instances[index] = await start()
  }

  test('lose no session and report no theft while they are killed and restarted under load', async () => {
    const clients = startClients('user')
    for (let round = 0; round < 6; round++) {
      await clients.progress(10)
      // Every other one in order, the others as in a power cut.
      await restart(round % 4, round % 2 === 0 ? 'SIGKILL' : 'SIGTERM')
    }
    expect(await clients.stop()).toEqual(new Set(['OK']))
    expect(broken).toBeGreaterThanOrEqual(3)
    const store = createPostgresStore(database)
    expect(await store.listKeys()).toHaveLength(4)
    for (let index = 0; index < 12; index++) {
      expect((await store.listByUser(`user-${index}`, { limit: 10, after: null })).sessions.length).toBeGreaterThan(0)
    }
    await store.close()
    expect(instances.map(instance => instance?.server.output()).join('')).not.toContain('used by two parties')
  })

  test('TOK-20: rotate their keys once when it is due, and each accepts what any of them signed', async () => {
    const indices = [0, 1, 2, 3]
    const clients = startClients('rotating')
    const before = await Promise.all(indices.map(index => ask(index, '/recipe/session', newSession(`before-${index}`))))
    const oldKid = kidOf(before[0])
    const client = new pg.Client(database)
    await client.connect()
    const moveKeys = (set: string, which: string): Promise<unknown> => (
      client.query(`UPDATE keyturn_key SET active_from = ${set} WHERE purpose = 'core-dynamic' AND ${which}`)
    )

    // A week passes, and all four look at the keys at the same moment.
    await moveKeys(`active_from - ${7 * 86_400_000}`, 'true')
    const unknown = Buffer.from(JSON.stringify({ alg: 'RS256', typ: 'JWT', version: '5', kid: 'd-1700000000000' }))
    const unrecognized = verification(`${unknown.toString('base64url')}.e30.AAAA`)
    const answers = await Promise.all(indices.map(index => ask(index, '/recipe/session/verify', unrecognized)))
    expect(answers.map(({ status }) => status)).toEqual(indices.map(() => 'TRY_REFRESH_TOKEN'))
    const published = await Promise.all(indices.map(async index => (
      (await ask(index, '/.well-known/jwks.json'))['keys'] as { kid: string }[]
    ).map(({ kid }) => kid)))
    const [newKid] = published[0] ?? []
    expect(published).toEqual(indices.map(() => [newKid, oldKid, expect.stringMatching(/^s-/)]))

    // An hour passes for two of them: they sign with the new key, the others still with the old one.
    await moveKeys(String(Date.now() - 1), `active_from > ${Date.now()}`)
    await restart(0, 'SIGTERM')
    await restart(1, 'SIGKILL')
    const during = await Promise.all(indices.map(index => ask(index, '/recipe/session', newSession(`during-${index}`))))
    expect(during.map(kidOf)).toEqual([newKid, newKid, oldKid, oldKid])
    await restart(2, 'SIGTERM')
    const later = await ask(2, '/recipe/session', newSession('later'))
    expect(kidOf(later)).toBe(newKid)
    for (const { accessToken } of [...before, ...during, later]) {
      const verified = await Promise.all(indices.map(index => (
        ask(index, '/recipe/session/verify', verification(accessToken.token))
      )))
      expect(verified.map(({ status }) => status)).toEqual(indices.map(() => 'OK'))
    }

    expect(await clients.stop()).toEqual(new Set(['OK']))
    const { rows } = await client.query('SELECT purpose FROM keyturn_key ORDER BY purpose')
    expect(rows.map(({ purpose }) => purpose))
      .toEqual(['access', 'core-dynamic', 'core-dynamic', 'core-static', 'refresh'])
    await client.end()
  })
})

function kidOf(answer: CoreBody | undefined): unknown {
  return decodeJwt(answer?.accessToken.token ?? '').header['kid']
}

/** Forwards every new connection to the next server that runs. */
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
