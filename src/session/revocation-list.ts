import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { Change } from './store.ts'

/**
 * What a process knows of the change log: which sessions are revoked, and which payloads were changed, for as
 * long as an access token can say otherwise. Bounded by the changes within one access token lifetime.
 */
export class RevocationList {
  readonly #revoked = new Map<SessionHandle, EpochMilliseconds>()
  readonly #payloads = new Map<SessionHandle, { readonly version: number; readonly until: EpochMilliseconds }>()

  /** Takes a change in; taking it in twice changes nothing. */
  apply(change: Change): void {
    if (change.kind === 'revoked') {
      for (const handle of change.handles) {
        this.#revoked.set(handle, Math.max(change.until, this.#revoked.get(handle) ?? 0))
      }
    } else if (change.kind === 'payload') {
      const known = this.#payloads.get(change.handle)
      if (known === undefined || known.version < change.version) {
        this.#payloads.set(change.handle, { version: change.version, until: change.until })
      }
    }
  }

  isRevoked(handle: SessionHandle): boolean {
    return this.#revoked.has(handle)
  }

  /** The newest payload version that was heard of, or 0. */
  payloadVersion(handle: SessionHandle): number {
    return this.#payloads.size === 0 ? 0 : this.#payloads.get(handle)?.version ?? 0
  }

  /** Forgets what no access token can contradict any more. */
  prune(now: EpochMilliseconds): void {
    // Changes come nearly in the order of their ends: what follows the first live one waits for the next call.
    for (const [handle, until] of this.#revoked) {
      if (until > now) break
      this.#revoked.delete(handle)
    }
    for (const [handle, { until }] of this.#payloads) {
      if (until > now) break
      this.#payloads.delete(handle)
    }
  }

  get size(): number {
    return this.#revoked.size + this.#payloads.size
  }
}
