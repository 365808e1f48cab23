import { hash, randomBytes } from 'node:crypto'
import type { SessionStore } from '../../dist/session/store.js'

/** A store on its own server, beside the barest statement that the same driver can run there. */
export interface StoreContender {
  readonly name: string
  readonly store: SessionStore
  /**
   * The ceiling of any rotation: a new secret is drawn and hashed, and one conditional update of one row, found by its
   * key, replaces the hash and keeps the one before.
   */
  bareUpdate(row: number): Promise<unknown>
  /** What other libraries do on the same server, by name. */
  readonly peers: Readonly<Record<string, () => Promise<unknown>>>
  /** Adds sessions quickly, as many as asked for. Null: by ordinary inserts. */
  readonly bulk: null | ((run: () => Promise<void>) => Promise<void>)
  /** The bytes that the store takes now, indexes included. */
  size(): Promise<number>
  close(): Promise<void>
}

/** How many rows the bare table has. */
export const BARE_ROWS = 10_000

/** What each bare row begins with. */
export const FIRST_HASH: string = 'h'.repeat(43)

/** The hash of a new secret. */
export function newHash(): string {
  return hash('sha256', randomBytes(32).toString('base64url'), 'base64url')
}

/** What each bare row holds, and what it gets next. */
export function rowValues(): (row: number) => readonly [current: string, next: string] {
  const values = new Map<number, string>()
  return row => {
    const current = values.get(row) ?? FIRST_HASH
    const next = newHash()
    values.set(row, next)
    return [current, next]
  }
}
