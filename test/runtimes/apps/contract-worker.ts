import { env } from 'cloudflare:workers'
import type { SessionStore } from '../../../src/session/store.ts'
import { createD1Store, migrateD1 } from '../../../src/stores/d1.ts'
import { createDurableObjectStore, SessionObject } from '../../../src/stores/durable-object.ts'
import { storeContract } from '../../../src/testing/store-contract.ts'

export { SessionObject }

// Runs the store contract inside a worker: GET /d1/0 runs its first case on D1, with tables of its own.

const kinds: Readonly<Record<string, (index: number) => Promise<() => SessionStore>>> = {
  async d1(index) {
    const prefix = `case_${index}_`
    await migrateD1(env.DB, { prefix })
    return () => createD1Store(env.DB, { prefix, requestTimeout: 60 })
  },
  object: async index => () => createDurableObjectStore(env.SESSIONS, { name: `case-${index}`, requestTimeout: 60 }),
}

const worker: { fetch(request: Request): Promise<Response> } = {
  async fetch(request) {
    const [, kind = '', index = ''] = new URL(request.url).pathname.split('/')
    const open = await kinds[kind]?.(Number(index))
    const stores: SessionStore[] = []
    let problem: string | null = null
    try {
      await storeContract[Number(index)]?.run({
        async open() {
          if (open === undefined) throw new Error(`no store is called ${kind}`)
          const store = open()
          stores.push(store)
          return store
        },
      })
    } catch (error) {
      problem = error instanceof Error ? `${error.stack} ${error.cause ?? ''}` : String(error)
    }
    for (const store of stores) await store.close()
    return Response.json({ problem })
  },
}

export default worker
