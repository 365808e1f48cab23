import type { SessionStore } from '../../../src/session/store.ts'
import { storeContract } from '../../../src/testing/store-contract.ts'

/** A worker that runs the store contract. */
export interface ContractWorker {
  fetch(request: Request): Promise<Response>
}

/** Prepares data for a case of the contract, by its index. Returns the function that opens stores on it. */
export type PrepareCase = (index: number) => Promise<() => SessionStore>

/** Runs the store contract inside a worker: GET /d1/0 runs its first case on the kind `d1`, with data of its own. */
export function serveContract(kinds: Readonly<Record<string, PrepareCase>>): ContractWorker {
  return {
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
}
