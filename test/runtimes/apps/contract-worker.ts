import { env } from 'cloudflare:workers'
import type { SessionStore } from '../../../src/session/store.ts'
import { createD1Store, migrateD1 } from '../../../src/stores/d1.ts'
import { createDurableObjectStore, SessionObject } from '../../../src/stores/durable-object.ts'
import { serveContract } from './serve-contract.ts'
import type { ContractWorker } from './serve-contract.ts'

export { SessionObject }

const worker: ContractWorker = serveContract({
  async d1(index) {
    const prefix = `case_${index}_`
    await migrateD1(env.DB, { prefix })
    return (): SessionStore => createD1Store(env.DB, { prefix, requestTimeout: 60 })
  },
  object: async index => () => createDurableObjectStore(env.SESSIONS, { name: `case-${index}`, requestTimeout: 60 }),
})

export default worker
