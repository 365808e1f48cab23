import type { JsonObject } from '../base/json.ts'
import { lifetimeOf } from './front-token.ts'
import { tokenOf } from './session-state.ts'
import type { SessionState } from './session-state.ts'

/** The session as scripts know it. It proves nothing: the server verifies each request. */
export interface ClientSession<Payload extends object> {
  readonly userId: string
  /** The session's public identifier. */
  readonly handle: string
  /** The application's claims, and claims of the token itself such as `sid` and `iat`. */
  readonly payload: Readonly<Payload>
  /** When the access token expires, in milliseconds since 1970 by this device's clock. The session itself continues. */
  readonly expiry: number
}

/** The payload of a server's sessions, from their type alone: `createClient<typeof sessions>()`. */
export type PayloadOf<Sessions> = Sessions extends {
  getSessionByHandle(handle: string): Promise<{ readonly jwtPayload: infer Payload extends object }>
} ? Payload : JsonObject

/** The session of a record; null if there is none. The payload has the type that the server gave it. Pure. */
export function toSession<Payload extends object>(record: SessionState): ClientSession<Payload> | null {
  const token = tokenOf(record)
  if (token === null) return null
  return {
    userId: token.uid,
    handle: String(token.up['sid'] ?? ''),
    payload: token.up as Readonly<Payload>,
    expiry: record.received + lifetimeOf(token, record.received),
  }
}
