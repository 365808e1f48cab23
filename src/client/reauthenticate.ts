import type { Client } from './client.ts'
import { createFetch } from './fetch-with-session.ts'
import { internalsOf } from './internals.ts'
import type { ClientRefreshResult } from './refresher.ts'
import { withLock } from './lock.ts'

/**
 * Like `client.fetch`, for the request with which the user proves again who they are, such as with a password. The
 * server answers it with new tokens and then accepts no older refresh token, so it is sent while no tab refreshes.
 * @throws SessionUnavailableError if the server requires a refresh and the refresh failed. The session is kept.
 */
export async function reauthenticateWith(
  client: Pick<Client<object>, 'exchanges'>,
  input: RequestInfo | URL,
  init?: RequestInit,
): Promise<Response> {
  const { env, state, refresher, settings, exchangesWith } = internalsOf(client)
  const [settled] = await withLock(env, settings.lock, async () => {
    const latest: { refresh: Promise<ClientRefreshResult> | null } = { refresh: null }
    const fetch = createFetch(env, exchangesWith(wanted => latest.refresh = refresher.refreshUnderLock(wanted)))
    await state.reload()
    const settling = await Promise.allSettled([fetch(input, init)])
    // If the request was aborted, its refresh may still be running.
    await latest.refresh
    return settling
  })
  if (settled.status === 'rejected') throw settled.reason
  return settled.value
}
