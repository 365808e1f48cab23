import { describe, test } from 'vitest'
import type { SessionStore } from '../../src/session/store.ts'
import { storeContract } from '../../src/testing/store-contract.ts'

/** Fresh data for one case of the contract. */
export interface ContractData {
  open(): Promise<SessionStore>
  /** Deletes the data, after all opened stores have been closed. */
  discard(): Promise<void>
}

/** Runs the whole store contract, each case with separate data. */
export function runStoreContract(store: string, create: () => Promise<ContractData>): void {
  describe(`store contract: ${store}`, () => {
    for (const { name, run } of storeContract) {
      test(name, async () => {
        const data = await create()
        const opened: SessionStore[] = []
        try {
          await run({
            async open() {
              const connection = await data.open()
              opened.push(connection)
              return connection
            },
          })
        } finally {
          await Promise.all(opened.map(connection => connection.close()))
          await data.discard()
        }
      })
    }
  })
}
