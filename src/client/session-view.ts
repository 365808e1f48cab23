import type { Client } from './client.ts'
import type { ClientSession } from './session.ts'

/** The session as a component sees it. */
export type SessionView<Payload extends object> =
  /** The server was not asked yet. */
  | { readonly status: 'loading'; readonly session: null }
  | { readonly status: 'signed-in'; readonly session: ClientSession<Payload> }
  | { readonly status: 'signed-out'; readonly session: null }

/** A session that a framework can subscribe to. */
export interface SessionSource<Payload extends object> {
  /** The view that the page was rendered with; the same object at each call. */
  initial(): SessionView<Payload>
  /** The current view; the same object until it changes. */
  snapshot(): SessionView<Payload>
  /** Calls back at each change, and asks the server if nothing is known. Returns a function that unsubscribes. */
  subscribe(listener: () => void): () => void
}

/** The part of a client that components need. */
export type SessionClient<Payload extends object> = Pick<
  Client<Payload>, 'peekSession' | 'getSession' | 'refresh' | 'onChange'
>

/**
 * Follows the session of a client. `rendered` is the session that the server rendered the page with: null for none,
 * undefined if the server did not read it. It is used until the client knows the session, so that the page does not
 * flicker.
 */
export function followSession<Payload extends object>(
  client: SessionClient<Payload>,
  rendered: ClientSession<Payload> | null | undefined,
): SessionSource<Payload> {
  const first = viewOf(rendered)
  let last = first

  function snapshot(): SessionView<Payload> {
    const known = client.peekSession()
    const next = known === undefined ? first : viewOf(known)
    if (next.status !== last.status || next.session !== last.session) last = next
    return last
  }

  return {
    initial: () => first,
    snapshot,
    subscribe(listener) {
      const stop = client.onChange(listener)
      const known = client.peekSession()
      // The server found a session that this browser has no record of, such as after a login by redirect.
      const isUnseen = known === null && first.session !== null
      const asked = isUnseen ? client.refresh() : known === undefined ? client.getSession() : null
      asked?.catch(() => undefined)
      return stop
    },
  }
}

function viewOf<Payload extends object>(session: ClientSession<Payload> | null | undefined): SessionView<Payload> {
  if (session === undefined) return { status: 'loading', session: null }
  return session === null ? { status: 'signed-out', session } : { status: 'signed-in', session }
}
