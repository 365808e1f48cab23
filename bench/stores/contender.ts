import { hash, randomBytes } from 'node:crypto'
import type { SessionStore } from '../../src/session/store.ts'

/** A store on its own server, beside the barest statement that the same driver can run there. */
export interface StoreContender {
  readonly name: string
  readonly store: SessionStore
  /**
   * The ceiling of any rotation: a new secret is drawn and hashed, and one conditional update of one row of a table of
   * sessions replaces the hash and keeps the one before. The row is found by its handle, a text, and the table has an
   * index of the users.
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
export const BARE_ROWS = 20_000

/** The rows of the bare table: handle, user. Each user has ten. */
export const bareRows: readonly (readonly [handle: string, user: string])[] = Array.from(
  { length: BARE_ROWS },
  (_, row) => [`c${hash('sha256', `${row}`, 'base64url').slice(0, 22)}`, `user-${Math.floor(row / 10)}`],
)

/** What each bare row begins with. */
export const FIRST_HASH: string = 'h'.repeat(43)

/** The hash of a new secret. */
export function newHash(): string {
  return hash('sha256', randomBytes(32).toString('base64url'), 'base64url')
}

/** The handle of a bare row, what it holds, and what it gets next. */
export function rowValues(): (row: number) => readonly [handle: string, current: string, next: string] {
  const values = new Map<string, string>()
  return row => {
    const [handle = ''] = bareRows[row % BARE_ROWS] ?? []
    const current = values.get(handle) ?? FIRST_HASH
    const next = newHash()
    values.set(handle, next)
    return [handle, current, next]
  }
}
