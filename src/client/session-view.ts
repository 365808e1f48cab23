import type { Client } from './client.ts'
import type { ClientSession } from './session.ts'

/** What a component shows of the session. */
export type SessionView<Payload extends object> =
  /** The server was not asked yet. */
  | { readonly status: 'loading'; readonly session: null }
  | { readonly status: 'signed-in'; readonly session: ClientSession<Payload> }
  | { readonly status: 'signed-out'; readonly session: null }

/** A session that a framework can follow. */
export interface SessionSource<Payload extends object> {
  /** What the page was rendered with; the same object at each call. */
  initial(): SessionView<Payload>
  /** The view now; the same object until it changes. */
  snapshot(): SessionView<Payload>
  /** Calls back at each change, and asks the server if nothing is known. Returns how to stop. */
  subscribe(listener: () => void): () => void
}

/** The part of a client that components need. */
export type SessionClient<Payload extends object> = Pick<
  Client<Payload>, 'peekSession' | 'getSession' | 'refresh' | 'onChange'
>

/**
 * Follows the session of a client. `rendered` is what the server rendered the page with: its session, null for none,
 * undefined if it did not look. It holds until the client knows better, so that nothing flashes.
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
      // The server saw a login that no script has seen.
      const isNews = known === null && first.session !== null
      const asked = isNews ? client.refresh() : known === undefined ? client.getSession() : null
      asked?.catch(() => undefined)
      return stop
    },
  }
}

function viewOf<Payload extends object>(session: ClientSession<Payload> | null | undefined): SessionView<Payload> {
  if (session === undefined) return { status: 'loading', session: null }
  return session === null ? { status: 'signed-out', session } : { status: 'signed-in', session }
}
