import type { SessionStore } from '../../dist/session/store.js'

/** A store on its own server, beside the barest statement that the same driver can run there. */
export interface StoreContender {
  readonly name: string
  readonly store: SessionStore
  /** One conditional update of one row by its key, with a value that fits: the ceiling of any rotation. */
  bareUpdate(row: number): Promise<unknown>
  /** Adds sessions quickly, as many as asked for. Null: by ordinary inserts. */
  readonly bulk: null | ((run: () => Promise<void>) => Promise<void>)
  /** The bytes that the store takes now, indexes included. */
  size(): Promise<number>
  close(): Promise<void>
}

/** How many rows the bare table has. */
export const BARE_ROWS = 10_000
