import { closeOnce } from '../base/close-once.ts'
import { GeneralError } from '../base/errors.ts'
import { outsideRequests } from '../base/outside-requests.ts'
import type { SessionStore } from '../session/store.ts'
import { wrapStore } from '../session/wrap-store.ts'

/**
 * A store that its first call loads and opens. So an application with another store never loads this one. If opening
 * fails, the call fails with the same error, and the next one tries again. After closing, all calls fail.
 */
export function deferStore(open: () => Promise<SessionStore>): SessionStore {
  let opening: Promise<SessionStore> | null = null
  let closed = false

  async function store(): Promise<SessionStore> {
    if (closed) throw new GeneralError('STORE_UNAVAILABLE', 'the session store was closed')
    opening ??= outsideRequests(() => open().catch((error: unknown) => {
      opening = null
      throw error
    }))
    return opening
  }

  return {
    ...wrapStore((_, call) => async (...input) => call(await store(), ...input)),
    close: closeOnce(async () => {
      closed = true
      // A store that was never opened, or could not be, need not be closed.
      const opened = await opening?.catch(() => null)
      await opened?.close()
    }),
  }
}
