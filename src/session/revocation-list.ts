import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import { HandleTable } from './handle-table.ts'
import type { Change } from './store.ts'

/**
 * What a process knows of the change log: which sessions are revoked, and which payloads were changed, for as
 * long as an access token can say otherwise. Bounded by the changes within one access token lifetime.
 */
export class RevocationList {
  readonly #revoked = new HandleTable()
  readonly #payloads = new HandleTable()

  /** Takes a change in; taking it in twice changes nothing. */
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

  /** The newest payload version that was heard of, or 0. */
  payloadVersion(handle: SessionHandle): number {
    return this.#payloads.get(handle) ?? 0
  }

  /** Forgets what no access token can contradict any more, some of it with each call. */
  prune(now: EpochMilliseconds): void {
    this.#revoked.prune(now)
    this.#payloads.prune(now)
  }

  get size(): number {
    return this.#revoked.size + this.#payloads.size
  }
}
