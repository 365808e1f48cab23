import { afterAll, beforeAll, describe } from 'vitest'
import { hasEdgePackages } from '../support/edge-packages.ts'
import { runContractInWorker } from '../support/runtimes/contract-in-worker.ts'
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
    runContractInWorker(title, { address: () => `${workers.urls.get('contract')}/${kind}` })
  }
})
