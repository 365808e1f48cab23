import { createContext, createElement, useContext, useMemo, useSyncExternalStore } from 'react'
import type { ReactElement, ReactNode } from 'react'
import { followSession } from './session-view.ts'
import type { SessionClient, SessionSource, SessionView } from './session-view.ts'
import type { ClientSession, PayloadOf } from './session.ts'

export type { SessionView } from './session-view.ts'

const SessionContext = createContext<SessionSource<object> | null>(null)

/** Props of {@link SessionProvider}. */
export interface SessionProviderProps {
  readonly client: SessionClient<object>
  /** The session that the server rendered the page with; null for none. Leave it out if the server did not read it. */
  readonly initialSession?: ClientSession<object> | null
  readonly children?: ReactNode
}

/** Provides the session of a client to the components below it. */
export function SessionProvider({ client, initialSession, children }: SessionProviderProps): ReactElement {
  // The session that the page was rendered with does not change, but the client may.
  const source = useMemo(() => followSession(client, initialSession), [client])
  return createElement(SessionContext, { value: source }, children)
}

/**
 * The session, as of the last change in any tab. `useSession<typeof sessions>()` types the payload.
 * @throws Error outside a {@link SessionProvider}.
 */
export function useSession<Sessions = unknown>(): SessionView<PayloadOf<Sessions>> {
  const source = useContext(SessionContext)
  if (source === null) throw new Error('useSession was called outside a SessionProvider: render one above')
  const view = useSyncExternalStore(source.subscribe, source.snapshot, source.initial)
  // A context has one type for all clients. Only the caller knows the type of the payload.
  return view as SessionView<PayloadOf<Sessions>>
}
