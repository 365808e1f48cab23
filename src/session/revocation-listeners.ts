import type { SessionHandle } from '../base/handle.ts'

/** Who waits for the end of which session. */
export class RevocationListeners {
  readonly #listeners = new Map<SessionHandle, Set<() => unknown>>()
  readonly #onError: (error: unknown) => void

  /** `onError` is told what a listener throws or rejects with. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** Has the listener called once, at the end of the session. Returns how to take that back. */
  watch(handle: SessionHandle, listener: () => unknown): () => void {
    // A function of our own, so that one listener can be given twice.
    const own = async (): Promise<unknown> => listener()
    const listeners = this.#listeners.get(handle) ?? new Set()
    this.#listeners.set(handle, listeners.add(own))
    return () => {
      if (listeners.delete(own) && listeners.size === 0) this.#listeners.delete(handle)
    }
  }

  /** Calls all who wait. */
  tellAll(): void {
    for (const handle of [...this.#listeners.keys()]) this.tell(handle)
  }

  /** Calls those who wait for this session, later: what one does or throws harms nobody else. */
  tell(handle: SessionHandle): void {
    const listeners = this.#listeners.get(handle)
    if (listeners === undefined) return
    this.#listeners.delete(handle)
    for (const listener of listeners) {
      queueMicrotask(() => {
        // It may have been taken back meanwhile.
        if (listeners.delete(listener)) Promise.resolve(listener()).catch(this.#onError)
      })
    }
  }
}
