// A Worker with a database of Turso (docs/serverless.md).
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { edgePackage, hasEdgePackages } from '../support/edge-packages.ts'
import { startLibsqlServer } from '../support/libsql-server.ts'
import type { LibsqlServer } from '../support/libsql-server.ts'
import { pages, readPage, samplesOf } from '../support/samples.ts'
import { serveWorkers } from '../support/runtimes/miniflare.ts'
import type { RunningWorkers } from '../support/runtimes/miniflare.ts'

const root = join(import.meta.dirname, '../..')

/** More than the calls that the client sends at a time by default. */
const CALLS = 30

test('EDGE-14: every sample creates the client with `concurrency: Infinity`', () => {
  const examples = globSync('examples/**/*.{mjs,js,ts}', { cwd: root, exclude: ['**/node_modules/**'] })
  const samples = [
    ...examples.map(path => ({ path, code: readPage(path) })),
    ...pages.flatMap(path => samplesOf(readPage(path)).map(({ code }) => ({ path, code }))),
  ].filter(({ code }) => code.includes("from '@libsql/client"))
  expect(new Set(samples.map(({ path }) => path))).toEqual(
    new Set(['examples/deno-libsql/server.mjs', 'docs/serverless.md']))
  for (const { path, code } of samples) expect(code, path).toMatch(/concurrency: Infinity/)
})

describe.skipIf(!hasEdgePackages())('a Worker with libSQL', () => {
  let database: LibsqlServer
  let workers: RunningWorkers

  beforeAll(async () => {
    database = await startLibsqlServer()
    workers = await serveWorkers('test/runtimes/apps/libsql-worker.ts', ['app'], {
      bindings: { TURSO_URL: database.url },
    }, [edgePackage('')])
    expect(await find()).toBe('null')
  })

  afterAll(async () => {
    await workers.close()
    await database.close()
  })

  async function find(signal: AbortSignal | null = null): Promise<string> {
    const response = await fetch(workers.urls.get('app') ?? '', { signal })
    return response.text()
  }

  test('EDGE-14: more calls than the client sends at a time by default all get an answer', async () => {
    database.hold()
    const before = database.received
    const answers = Promise.all(Array.from({ length: CALLS }, () => find()))
    await expect.poll(() => database.received - before).toBe(CALLS)
    database.answer()
    expect(await answers).toEqual(Array.from({ length: CALLS }, () => 'null'))
  })

  test('EDGE-14: calls of clients that went away while the database was slow stop no other call', async () => {
    database.hold()
    const before = database.received
    const leaving = new AbortController()
    const calls = Array.from({ length: CALLS }, () => find(leaving.signal).catch(() => 'gone'))
    await expect.poll(() => database.received - before).toBe(CALLS)
    leaving.abort()
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['gone']))
    database.answer()
    expect(await find()).toBe('null')
  })
})
