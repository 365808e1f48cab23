import * as wire from '../base/wire.ts'
import type { EndReason, TransferMode } from '../base/wire.ts'
import { readFrontToken, REMOVE } from './front-token.ts'
import type { FrontToken } from './front-token.ts'
import { sessionHandleOf, newer, tokenOf } from './session-state.ts'
import type { SessionState } from './session-state.ts'

/** What changes the record of a tab. `now` is this device's clock, in milliseconds since 1970. */
export type SessionEvent =
  /** The storage or another tab has a record. */
  | { readonly type: 'record'; readonly record: SessionState | null }
  /** A response arrived. */
  | ResponseEvent
  /** The user leaves. */
  | { readonly type: 'sign-out'; readonly now: number }
  /** The server has answered the sign-out of this generation. */
  | { readonly type: 'signed-out'; readonly generation: number; readonly now: number }

interface ResponseEvent {
  readonly type: 'response'
  /** The record that the request was sent with. */
  readonly sent: SessionState | null
  readonly headers: Pick<Headers, 'get'>
  /** The request was a refresh. `ended`: the server has answered that there is no session, in whatever form. */
  readonly refresh?: 'refreshed' | EndReason
  readonly now: number
}

/**
 * The record after an event; the same one if nothing changes. Responses count by the generation in which their request
 * was sent, in whatever order they arrive: a response cannot undo a sign-out or a login that was learned meanwhile, in
 * this tab or in another. Pure.
 */
export function reduce(mode: TransferMode, state: SessionState | null, event: SessionEvent): SessionState | null {
  switch (event.type) {
    case 'record':
      return newer(state, event.record)
    case 'response':
      return afterResponse(mode, state, event)
    case 'sign-out': {
      if (state && state.front === null) return state
      const { antiCsrf, refreshToken } = state ?? {}
      const signOut = { handle: sessionHandleOf(tokenOf(state)), antiCsrf, refreshToken }
      return { ...begin(state, event.now), front: null, ended: state ? 'signed-out' : undefined, signOut }
    }
    case 'signed-out':
      return state?.signOut && state.generation === event.generation
        ? { ...state, at: begin(state, event.now).at, signOut: undefined }
        : state
  }
}

/** The first members of a record that begins a generation. */
function begin(state: SessionState | null, now: number): Pick<SessionState, 'at' | 'generation' | 'received'> {
  const at = Math.max(now, (state?.at ?? 0) + 1)
  return { at, generation: at, received: now }
}

function afterResponse(
  mode: TransferMode,
  state: SessionState | null,
  { sent, headers, refresh, now }: ResponseEvent,
): SessionState | null {
  const front = headers.get(wire.frontToken)
  const before = tokenOf(state)
  const isCurrent = state?.generation === sent?.generation
  const end = refresh === 'refreshed' ? null : refresh ?? (front === REMOVE && 'signed-out')
  if (end) {
    const [name, ...handles] = (headers.get(wire.sessionEnded) ?? '').split(' ')
    // A response that names a session is about that one. If it removed the cookies of another as well, the next request
    // of that one is refused, its refresh fails, and that ends it.
    if (state?.front === null || !(handles[0] && !refresh ? handles.includes(sessionHandleOf(before)) : isCurrent)) {
      return state
    }
    const ended = isReason(name) ? name : state ? end : undefined
    return { ...begin(state, now), front: null, ended }
  }
  const after = front === null || front === state?.front ? null : readFrontToken(front)
  if (!after) return state
  const isSame = isSameSession(before, after)
  // A refresh only replaces the session that it was sent for. Another request may begin a session, by a login, but its
  // response does not bring back the one that it was sent with.
  if (!isSame && (refresh ? !isCurrent : isSameSession(tokenOf(sent), after))) return state
  const kept = isSame ? state : null
  const isHeader = mode === 'header'
  // A response that arrives after a newer refresh brings an older access token. Compare the expiry only if the request
  // was sent with another record: lifetimes vary, so a newer token may expire sooner.
  if (isHeader && sent !== state && kept && before && after.ate < before.ate) return state
  const first = begin(state, now)
  return {
    ...first,
    generation: kept?.generation ?? first.generation,
    front,
    ended: kept ? kept.ended : before ? 'replaced' : undefined,
    antiCsrf: headers.get(wire.antiCsrf) || kept?.antiCsrf,
    ...isHeader && {
      accessToken: headers.get(wire.accessToken) || undefined,
      refreshToken: headers.get(wire.refreshToken) || kept?.refreshToken,
    },
  }
}

/** The session server sends no other; a newer one may know more. */
function isReason(name: string | undefined): name is EndReason {
  return !!name
}

function isSameSession(left: FrontToken | null, right: FrontToken | null): boolean {
  return left?.uid === right?.uid && left?.up['sid'] === right?.up['sid']
}
