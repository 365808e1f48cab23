import type { SessionStore } from '../session/store.ts'
import { wrapStore } from '../session/wrap-store.ts'

/**
 * A store that is loaded and opened by its first call, not when an application is put together: who names a store of
 * their own never loads this one. A call that could not open it fails as the opening did, and the next one tries again.
 */
export function deferStore(open: () => Promise<SessionStore>): SessionStore {
  let opening: Promise<SessionStore> | null = null

  function store(): Promise<SessionStore> {
    opening ??= open().catch((error: unknown) => {
      opening = null
      throw error
    })
    return opening
  }

  return {
    ...wrapStore((_, call) => async (...input) => call(await store(), ...input)),
    // What was never opened needs no closing.
    close: async () => (await opening)?.close(),
  }
}
