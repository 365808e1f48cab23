import type { SessionStore } from '../../session/store.ts'

/** How the contract reaches the store under test. */
export interface StoreHarness {
  /**
   * Opens a connection to the data of this case, empty at first; each call opens another one to the same data.
   * What one connection wrote is read through a second one, so that no store grades itself. Who made the harness
   * closes what it opened.
   */
  open(): Promise<SessionStore>
}

/** One promise of the store port, and how to find out whether a store keeps it. */
export interface ContractCase {
  readonly name: string
  /** Resolves if the promise is kept. Wants a harness with fresh data. @throws if it is broken. */
  run(harness: StoreHarness): Promise<void>
}
