import type { SessionHandle } from '../base/handle.ts'

/** Who waits for the end of which session. */
export class Watchers {
  readonly #listeners = new Map<SessionHandle, Set<() => void>>()

  /** Has the listener called once, at the end of the session. Returns how to take that back. */
  watch(handle: SessionHandle, listener: () => void): () => void {
    // A function of our own, so that one listener can be given twice.
    const own = (): void => listener()
    const listeners = this.#listeners.get(handle) ?? new Set()
    this.#listeners.set(handle, listeners.add(own))
    return () => {
      if (listeners.delete(own) && listeners.size === 0) this.#listeners.delete(handle)
    }
  }

  /** Calls those who wait for this session, each in a turn of its own: what one throws harms nobody else. */
  tell(handle: SessionHandle): void {
    const listeners = this.#listeners.get(handle)
    if (listeners === undefined) return
    this.#listeners.delete(handle)
    for (const listener of listeners) queueMicrotask(listener)
    listeners.clear()
  }
}
