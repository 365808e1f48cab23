import { createSessions } from '../../src/create-sessions.ts'
import type { CreateSessionsOptions } from '../../src/create-sessions.ts'
import { nodeSessions } from '../../src/frameworks/node.ts'
import type { SessionStore } from '../../src/session/store.ts'
import { createExchange } from '../support/request.ts'

/** The calls of an application that the measures make. */
export interface Application {
  /** Starts a session, and returns its access token. */
  login(userId: string): Promise<string>
  /** Verifies the token of a request. Rejects if it is refused. */
  verify(token: string): Promise<void>
  revokeSession(handle: string): Promise<boolean>
  revokeAllSessionsForUser(userId: string): Promise<unknown>
  close(): Promise<void>
}

/** The library on a store, as an application creates it. */
export function createApplication(
  store: SessionStore,
  options: Omit<CreateSessionsOptions, 'origin'> = {},
): Application {
  const sessions = nodeSessions(createSessions({ origin: 'https://app.example.com', ...options, store }))
  return {
    async login(userId) {
      const { request, response } = createExchange({ 'st-auth-mode': 'header' })
      await sessions.createNewSession(request, response, userId, { role: 'admin' })
      return String(response.getHeader('st-access-token'))
    },
    async verify(token) {
      const { request, response } = createExchange({ authorization: `Bearer ${token}` })
      await sessions.getSession(request, response)
    },
    revokeSession: handle => sessions.revokeSession(handle),
    revokeAllSessionsForUser: userId => sessions.revokeAllSessionsForUser(userId),
    close: () => sessions.close(),
  }
}
