import type { Client } from './client.ts'
import type { ClientSession, SessionView } from './session.ts'

export type { SessionView } from './session.ts'

/** A session that a framework can subscribe to. */
export interface SessionSource<Payload extends object> {
  /** The view that the page was rendered with; the same object at each call. */
  initial(): SessionView<Payload>
  /** The current view; the same object until it changes. */
  snapshot(): SessionView<Payload>
  /** Calls back at each change, and asks the server if nothing is known. Returns a function that unsubscribes. */
  subscribe(listener: () => void): () => void
  /** The server has rendered again: this session, or null for none. It counts until the client knows better. */
  rendered(session: ClientSession<Payload> | null | undefined): void
}

/** The part of a client that components need. */
export type SessionClient<Payload extends object> = Pick<
  Client<Payload>, 'view' | 'expiry' | 'getSession' | 'refresh' | 'onChange'
>

/**
 * Follows the session of a client. `rendered` is the session that the server rendered the page with: null for none,
 * undefined if the server did not read it. The server's word counts: if it contradicts what this browser remembers, it
 * is shown, and the client asks the server once. So the page shows neither a flicker nor a session that has ended.
 */
export function followSession<Payload extends object>(
  client: SessionClient<Payload>,
  rendered: ClientSession<Payload> | null | undefined,
): SessionSource<Payload> {
  const listeners = new Set<() => void>()
  const first = viewOf(rendered)
  /** What the server rendered last, until the client has learned more. */
  let word = first
  let isContradicted = contradicts(word, client.view())
  let stop = (): void => undefined

  /** Asks the server, if it and this browser disagree or nothing is known. */
  function ask(): void {
    const { status } = client.view()
    const left = (client.expiry() ?? Infinity) - Date.now()
    const asked = isContradicted ? client.refresh() : status === 'loading' || left <= 0 ? client.getSession() : null
    void asked?.catch(() => undefined).then(settle)
  }

  /** The server has answered, or the session has changed: what it rendered before is of the past. */
  function settle(): void {
    isContradicted = false
    for (const listener of listeners) listener()
  }

  return {
    initial: () => first,
    snapshot() {
      const view = client.view()
      return isContradicted || (view.status === 'loading' && word.status !== 'loading') ? word : view
    },
    subscribe(listener) {
      if (listeners.size === 0) {
        stop = client.onChange(settle)
        ask()
      }
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0) stop()
      }
    },
    rendered(session) {
      const next = viewOf(session)
      if (!isOther(word, next)) return
      word = next
      isContradicted = contradicts(word, client.view())
      if (!isContradicted || listeners.size === 0) return
      for (const listener of listeners) listener()
      ask()
    },
  }
}

function viewOf<Payload extends object>(session: ClientSession<Payload> | null | undefined): SessionView<Payload> {
  if (session === undefined) return { status: 'loading', session: null, reason: null }
  return session === null
    ? { status: 'signed-out', session, reason: null }
    : { status: 'signed-in', session, reason: null }
}

/** Whether the server knows something else than this browser. */
function contradicts(word: SessionView<object>, known: SessionView<object>): boolean {
  return word.status !== 'loading' && known.status !== 'loading' && isOther(word, known)
}

function isOther({ session: left }: SessionView<object>, { session: right }: SessionView<object>): boolean {
  return left?.handle !== right?.handle || JSON.stringify(left?.jwtPayload) !== JSON.stringify(right?.jwtPayload)
}
