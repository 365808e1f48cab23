import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storeContract } from '../../src/testing/store-contract.ts'
import { hasEdgePackages } from '../support/edge-packages.ts'
import { serveWorkers } from '../support/runtimes/miniflare.ts'
import type { RunningWorkers } from '../support/runtimes/miniflare.ts'

describe.skipIf(!hasEdgePackages())('in a worker', () => {
  let workers: RunningWorkers

  beforeAll(async () => {
    workers = await serveWorkers('test/runtimes/apps/contract-worker.ts', ['contract'], {
      d1Databases: { DB: 'contract' },
      durableObjects: { SESSIONS: { className: 'SessionObject', useSQLite: true } },
    })
  })

  afterAll(() => workers.close())

  for (const [kind, title] of [['d1', 'Cloudflare D1'], ['object', 'a Durable Object']] as const) {
    describe(`store contract: ${title}`, () => {
      for (const [index, { name }] of storeContract.entries()) {
        test(name, async () => {
          const { problem }: { problem: string | null } =
            await (await ask(`${workers.urls.get('contract')}/${kind}/${index}`)).json()
          expect(problem).toBeNull()
        })
      }
    })
  }
})

/** Miniflare may close a connection that `fetch` is about to use again; then the request has not arrived. */
async function ask(url: string): Promise<Response> {
  return fetch(url).catch(() => fetch(url))
}
