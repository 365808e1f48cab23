import type { JsonObject } from '../base/json.ts'
import type { EndReason } from '../base/wire.ts'
import { sessionHandleOf, tokenOf } from './session-state.ts'
import type { SessionState } from './session-state.ts'

/**
 * The session as scripts know it. It proves nothing: the server verifies each request. The same object until its
 * content changes: a refresh alone does not change it. A server renders it with `session.toJSON()`.
 */
export interface ClientSession<Payload extends object> {
  /** The id of the user. */
  readonly userId: string
  /** The session's public identifier. */
  readonly handle: string
  /** The application's claims. */
  readonly jwtPayload: Readonly<Payload>
  /** When the user logged in or last authenticated again, in milliseconds since 1970 by the server's clock. */
  readonly timeCreated: number
}

/** The session as an application shows it. */
export type SessionView<Payload extends object> =
  /** `reason`: `replaced` if the session took the place of another one; null otherwise. */
  | { readonly status: 'signed-in'; readonly session: ClientSession<Payload>; readonly reason: EndReason | null }
  /**
   * `loading`: the storage was not read yet. `unavailable`: it does not answer, so that the session is unknown.
   * `reason`: why the session before has ended; null if this browser knows none.
   */
  | {
    readonly status: 'loading' | 'unavailable' | 'signed-out'
    readonly session: null
    readonly reason: EndReason | null
  }

/** The payload of a server's sessions, from their type alone: `createClient<typeof sessions>()`. */
export type PayloadOf<Sessions> = Sessions extends {
  getSessionByHandle(handle: string): Promise<{ readonly jwtPayload: infer Payload extends object }>
} ? Payload : JsonObject

/** The session of a record; null if there is none. The payload has the type that the server gave it. Pure. */
export function toSession<Payload extends object>(record: SessionState | null): ClientSession<Payload> | null {
  const token = tokenOf(record)
  if (token === null) return null
  // The claims of the token itself, which are not the application's.
  const { iss, sub, sid, aud, exp, iat, jti, auth_time: time, keyturn, ...claims } = token.up
  return {
    userId: token.uid,
    handle: sessionHandleOf(token),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only the server knows its type
    jwtPayload: claims as Readonly<Payload>,
    timeCreated: Number(time ?? 0) * 1000,
  }
}
