import { hash, randomBytes } from 'node:crypto'
import type { SessionStore } from '../../src/session/store.ts'

/** A store on its own server, and the simplest statement that the same driver can run there. */
export interface StoreContender {
  readonly name: string
  readonly store: SessionStore
  /**
   * The upper limit of any rotation: generate and hash a random secret, and replace the hash by one conditional update
   * of one row that keeps the previous hash. The row is found by its handle, a text, and the table has an index of the
   * users.
   */
  bareUpdate(row: number): Promise<unknown>
  /** Logins of other libraries on the same server, by name. */
  readonly peers: Readonly<Record<string, () => Promise<unknown>>>
  /** Adds many sessions quickly; null if ordinary inserts must do. */
  readonly bulk: null | ((run: () => Promise<void>) => Promise<void>)
  /** The current size of the store in bytes, indexes included. */
  size(): Promise<number>
  close(): Promise<void>
}

/** The number of rows of the bare table. */
export const BARE_ROWS = 20_000

/** The rows of the bare table: handle, user. Each user has ten. */
export const bareRows: readonly (readonly [handle: string, user: string])[] = Array.from(
  { length: BARE_ROWS },
  (_, row) => [`c${hash('sha256', `${row}`, 'base64url').slice(0, 22)}`, `user-${Math.floor(row / 10)}`],
)

/** The initial hash of each bare row. */
export const FIRST_HASH: string = 'h'.repeat(43)

/** The hash of a new secret. */
export function newHash(): string {
  return hash('sha256', randomBytes(32).toString('base64url'), 'base64url')
}

/** The handle of a bare row, its current hash, and its next one. */
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
