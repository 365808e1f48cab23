import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import { HandleTable } from './handle-table.ts'
import type { Change } from './store.ts'

/**
 * The content of the change log in memory: which sessions were revoked, and which JWT payloads were updated. An entry
 * is kept until all access tokens that it concerns have expired, so the size is bounded by the changes within one
 * access token lifetime.
 */
export class RevocationList {
  readonly #revoked = new HandleTable()
  readonly #payloads = new HandleTable()

  /** Applies a change. Applying it twice has no further effect. */
  apply(change: Change): void {
    if (change.kind === 'revoked') {
      for (const handle of change.handles) this.#revoked.set(handle, 1, change.until)
    } else if (change.kind === 'payload') {
      const version = Math.max(change.version, this.payloadVersion(change.handle))
      this.#payloads.set(change.handle, version, change.until)
    }
  }

  isRevoked(handle: SessionHandle): boolean {
    return this.#revoked.get(handle) !== null
  }

  /** The newest version of the session's JWT payload; 0 if there was no change. */
  payloadVersion(handle: SessionHandle): number {
    return this.#payloads.get(handle) ?? 0
  }

  /** Removes expired entries, some of them with each call. */
  prune(now: EpochMilliseconds): void {
    this.#revoked.prune(now)
    this.#payloads.prune(now)
  }

  get size(): number {
    return this.#revoked.size + this.#payloads.size
  }
}
