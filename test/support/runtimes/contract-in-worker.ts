import { describe, expect, test } from 'vitest'
import { storeContract } from '../../../src/testing/store-contract.ts'

/** How the store contract is run inside a worker. */
export interface ContractInWorker {
  /** The address of the kind of store in a worker of `serveContract`. */
  address(): string
  /** Called before each case. */
  prepare?(index: number): Promise<unknown>
  /** The requirement that the titles begin with. Default: none. */
  readonly id?: string
}

/** Runs the whole store contract inside a worker, one request for each case. */
export function runContractInWorker(store: string, { address, prepare, id }: ContractInWorker): void {
  describe(`store contract: ${store}`, () => {
    for (const [index, { name }] of storeContract.entries()) {
      test(id === undefined ? name : `${id}: ${name}`, async () => {
        await prepare?.(index)
        const { problem }: { problem: string | null } = await (await ask(`${address()}/${index}`)).json()
        expect(problem).toBeNull()
      })
    }
  })
}

/** Miniflare may close a connection that `fetch` is about to use again; then the request has not arrived. */
async function ask(url: string): Promise<Response> {
  return fetch(url).catch(() => fetch(url))
}
