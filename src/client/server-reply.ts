import * as wire from '../base/wire.ts'
import type { TransferMode } from '../base/wire.ts'
import { readFrontToken, REMOVE } from './front-token.ts'
import type { FrontToken } from './front-token.ts'
import { tokenOf } from './session-state.ts'
import type { SessionState } from './session-state.ts'

/** The part of a response that the client reads. */
export type ServerReply = Pick<Response, 'status' | 'url' | 'headers'>

/** The member `message` of a JSON body; undefined for any other body. */
export function messageOf(response: Response): Promise<unknown> {
  return response.json().then((body: { message?: unknown } | null) => body?.message, () => undefined)
}

/**
 * The record after the headers of a response; null if they change nothing. `sent` is the record that the request was
 * sent with, `now` this device's clock. Pure.
 */
export function stateAfter(
  current: SessionState | null,
  sent: SessionState | null,
  mode: TransferMode,
  headers: Pick<Headers, 'get'>,
  now: number,
): SessionState | null {
  const front = headers.get(wire.frontToken)
  const isHeader = mode === 'header'
  const stamp = { at: Math.max(now, (current?.at ?? 0) + 1), received: now }
  const before = tokenOf(current)
  if (front === REMOVE) {
    // Only the session of the request has ended, not one that another tab began meanwhile. If the response removed its
    // cookies as well, the next request is refused, its refresh fails, and that ends the session.
    return current?.front !== null && isSameSession(tokenOf(sent), before) ? { ...stamp, front: null } : null
  }
  const after = front === null || front === current?.front ? null : readFrontToken(front)
  if (!after) return null
  const kept = isSameSession(before, after) ? current : null
  // A response that arrives after a newer refresh brings an older access token. Compare the expiry only if the request
  // was sent with another record: lifetimes vary, so a newer token may expire sooner.
  if (isHeader && sent !== current && kept && before && after.ate < before.ate) return null
  return {
    ...stamp,
    front,
    antiCsrf: headers.get(wire.antiCsrf) || kept?.antiCsrf,
    ...isHeader && {
      accessToken: headers.get(wire.accessToken) || undefined,
      refreshToken: headers.get(wire.refreshToken) || kept?.refreshToken,
    },
  }
}

function isSameSession(left: FrontToken | null, right: FrontToken | null): boolean {
  return left?.uid === right?.uid && left?.up['sid'] === right?.up['sid']
}

/** The headers that a request to the session's server carries. Pure. */
export function sessionHeaders(
  mode: TransferMode,
  antiCsrf: string | undefined,
  bearer: string | undefined,
): [name: string, value: string][] {
  const headers: [string, string][] = [[wire.authMode, mode]]
  if (antiCsrf) headers.push([wire.antiCsrf, antiCsrf])
  if (bearer) headers.push([wire.authorization, `Bearer ${bearer}`])
  return headers
}
