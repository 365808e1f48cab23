import { GeneralError } from '../base/errors.ts'
import type { SessionStore } from '../session/store.ts'
import { wrapStore } from '../session/wrap-store.ts'

/**
 * A store that is loaded and opened by its first call, not when an application is put together: who names a store of
 * their own never loads this one. A call that could not open it fails as the opening did, and the next one tries again.
 * Once closed it stays closed: a call that comes late opens nothing, and fails.
 */
export function deferStore(open: () => Promise<SessionStore>): SessionStore {
  let opening: Promise<SessionStore> | null = null
  let closed = false

  async function store(): Promise<SessionStore> {
    if (closed) throw new GeneralError('STORE_UNAVAILABLE', 'the session store was closed')
    opening ??= open().catch((error: unknown) => {
      opening = null
      throw error
    })
    return opening
  }

  return {
    ...wrapStore((_, call) => async (...input) => call(await store(), ...input)),
    async close() {
      closed = true
      // What was never opened, or could not be, needs no closing.
      const opened = await opening?.catch(() => null)
      await opened?.close()
    },
  }
}
