import type { SessionHandle } from '../base/handle.ts'
import { outsideRequests } from '../base/outside-requests.ts'

/** The listeners for the end of sessions. */
export class RevocationListeners {
  readonly #listeners = new Map<SessionHandle, Set<() => unknown>>()
  readonly #onError: (error: unknown) => void

  /** `onError` is called with what a listener throws or rejects with. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** Registers a listener, which is called once, when the session ends. Returns a function that removes it. */
  watch(handle: SessionHandle, listener: () => unknown): () => void {
    // A new function, so that the same listener can be registered twice.
    const own = async (): Promise<unknown> => listener()
    const listeners = this.#listeners.get(handle) ?? new Set()
    this.#listeners.set(handle, listeners.add(own))
    return () => {
      // Others may have registered since these were notified.
      const isLast = listeners.delete(own) && listeners.size === 0
      if (isLast && this.#listeners.get(handle) === listeners) this.#listeners.delete(handle)
    }
  }

  /** The number of sessions that have listeners. */
  get size(): number {
    return this.#listeners.size
  }

  /** Calls all listeners. */
  notifyAll(): void {
    for (const handle of [...this.#listeners.keys()]) this.notify(handle)
  }

  /**
   * Calls the listeners of this session asynchronously, so that an exception of one does not affect the others, and
   * outside of the request that may have revoked it.
   */
  notify(handle: SessionHandle): void {
    const listeners = this.#listeners.get(handle)
    if (listeners === undefined) return
    this.#listeners.delete(handle)
    outsideRequests(() => {
      for (const listener of listeners) {
        queueMicrotask(() => {
          // It may have been removed in the meantime.
          if (listeners.delete(listener)) Promise.resolve(listener()).catch(this.#onError)
        })
      }
    })
  }
}
