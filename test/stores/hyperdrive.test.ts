// PostgreSQL behind Hyperdrive (docs/serverless.md), in Workers of Miniflare, whose binding passes bytes on. PgBouncer
// takes the place of Hyperdrive: it shares the server's connections among clients. The Workers with sessions log in to
// it with a password.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { migratePostgres } from '../../src/stores/postgres.ts'
import { driveSession } from '../support/drive-example.ts'
import { driverPackages, hasDrivers } from '../support/drivers.ts'
import { hasEdgePackages } from '../support/edge-packages.ts'
import { HttpClient } from '../support/http-client.ts'
import type { JarCookie } from '../support/http-client.ts'
import { runContractInWorker } from '../support/runtimes/contract-in-worker.ts'
import { serveWorkers } from '../support/runtimes/miniflare.ts'
import type { RunningWorkers } from '../support/runtimes/miniflare.ts'
import { startPgbouncer } from '../support/servers/pgbouncer.ts'
import { createPostgresDatabase } from '../support/servers/postgres.ts'
import type { TestServer } from '../support/servers/server.ts'
import { createDirectory } from '../support/servers/workspace.ts'

const server = inject('postgresUrl')
const pooler = inject('pgbouncerUrl')
const isMissing = server === null || pooler === null || !hasEdgePackages()

/** The default of `maxStaleness`. */
const MAX_STALENESS = 5_000

const compatibilityFlags = ['nodejs_compat']

describe.skipIf(isMissing || !hasDrivers())('in a Worker', () => {
  let database: string
  let workers: RunningWorkers

  beforeAll(async () => {
    database = await createPostgresDatabase(server ?? '', 'hyperdrive_contract')
    const { port } = new URL(pooler ?? '')
    workers = await serveWorkers('test/runtimes/apps/hyperdrive-contract-worker.ts', ['contract'], {
      compatibilityFlags,
      hyperdrives: { HYPERDRIVE: `postgres://app:secret@127.0.0.1:${port}/hyperdrive_contract` },
    }, [driverPackages()])
  })

  afterAll(() => workers.close())

  for (const [kind, driver] of [['node_postgres', 'pg'], ['postgres_js', 'postgres.js']] as const) {
    runContractInWorker(`PostgreSQL behind Hyperdrive, a client of ${driver} per call`, {
      id: 'EDGE-07',
      address: () => `${workers.urls.get('contract')}/${kind}`,
      prepare: index => migratePostgres(database, { schema: `${kind}_${index}` }),
    })
  }
})

describe.skipIf(isMissing)('Workers behind one Hyperdrive', () => {
  const origin = 'http://localhost:3000'
  let guarded: TestServer
  let workers: RunningWorkers

  beforeAll(async () => {
    const database = await createPostgresDatabase(server ?? '', 'hyperdrive')
    await migratePostgres(database)
    const users = join(createDirectory(), 'users.txt')
    writeFileSync(users, '"app" "secret"\n')
    guarded = await startPgbouncer({ port: Number(new URL(database).port) }, {
      auth_type: 'scram-sha-256', auth_file: users,
    })
    workers = await serveWorkers('test/runtimes/apps/hyperdrive-worker.ts', ['here', 'there', 'cold'], {
      compatibilityFlags,
      hyperdrives: { HYPERDRIVE: `postgres://app:secret@127.0.0.1:${guarded.port}/hyperdrive` },
    })
  })

  afterAll(async () => {
    await workers.close()
    await guarded.remove()
  })

  /** A client of a worker, with the cookies of another client. */
  function clientOf(worker: string, jar: readonly JarCookie[] = []): HttpClient {
    const client = new HttpClient(portOf(worker), origin, Date.now)
    client.jar = jar
    return client
  }

  function portOf(worker: string): number {
    return Number(new URL(workers.urls.get(worker) ?? '').port)
  }

  /** Logs in here, and returns the cookies of the session, which is known there as well. */
  async function login(): Promise<readonly JarCookie[]> {
    const client = clientOf('here')
    const reply = await client.send('POST', '/login', { headers: { origin }, body: { userId: 'alice' } })
    expect(reply.status).toBe(200)
    expect((await clientOf('there', client.jar).send('GET', '/me')).status).toBe(200)
    return client.jar
  }

  /** Revokes a session here. Returns the worker's time. */
  async function revoke(jar: readonly JarCookie[]): Promise<number> {
    const { status, body } = await clientOf('here', jar).send('POST', '/revoke', { headers: { origin } })
    expect(status).toBe(200)
    return timeIn(body)
  }

  function timeIn(body: string): number {
    const { at }: { at: number } = JSON.parse(body)
    return at
  }

  test('EDGE-07: a session is verified and refreshed from login to sign-out', async () => {
    await driveSession(portOf('here'), origin)
  })

  test('EDGE-07: a revoked session is refused at once where it was revoked, and on strict routes', async () => {
    const jar = await login()
    await revoke(jar)
    expect((await clientOf('here', jar).send('GET', '/me')).status).toBe(401)
    expect((await clientOf('there', jar).send('GET', '/strict')).status).toBe(401)
  })

  test('EDGE-07: another Worker accepts a revoked session for no longer than maxStaleness', async () => {
    const jar = await login()
    const revokedAt = await revoke(jar)
    let lastAccepted = revokedAt
    for (;;) {
      const { status, body } = await clientOf('there', jar).send('GET', '/me')
      if (status === 401) break
      lastAccepted = timeIn(body)
    }
    expect(lastAccepted - revokedAt).toBeLessThanOrEqual(MAX_STALENESS)
  })

  test('EDGE-07: a Worker that has just started refuses a revoked session at its first request', async () => {
    const jar = await login()
    await revoke(jar)
    expect((await clientOf('cold', jar).send('GET', '/me')).status).toBe(401)
  })
})
