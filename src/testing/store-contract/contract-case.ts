import type { SessionStore } from '../../session/store.ts'

/** How the contract reaches the store under test. */
export interface StoreHarness {
  /**
   * Opens a connection to the data of this case, empty at first. Each call opens another connection to the same data.
   * A case reads through a second connection what the first one wrote, so that it does not test a cache. The creator
   * of the harness closes the connections.
   */
  open(): Promise<SessionStore>
}

/** One guarantee of the store port, and a test for it. */
export interface ContractCase {
  /** The name of the case: a sentence about stores. */
  readonly name: string
  /** Resolves if the guarantee holds. Needs a harness with fresh data. @throws if it does not hold. */
  run(harness: StoreHarness): Promise<void>
}
