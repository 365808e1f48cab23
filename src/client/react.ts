import { createContext, createElement, useContext, useMemo, useSyncExternalStore } from 'react'
import type { ReactElement, ReactNode } from 'react'
import { followSession } from './session-view.ts'
import type { SessionClient, SessionSource, SessionView } from './session-view.ts'
import type { ClientSession, PayloadOf } from './session.ts'

export type { SessionView } from './session-view.ts'

const SessionContext = createContext<SessionSource<object> | null>(null)

/** What a {@link SessionProvider} needs. */
export interface SessionProviderProps {
  readonly client: SessionClient<object>
  /** What the server rendered the page with: its session, null for none; leave it out if it did not look. */
  readonly initialSession?: ClientSession<object> | null
  readonly children?: ReactNode
}

/** Gives the components below it the session of a client. */
export function SessionProvider({ client, initialSession, children }: SessionProviderProps): ReactElement {
  // What the page was rendered with does not change; a new client does.
  const source = useMemo(() => followSession(client, initialSession), [client])
  return createElement(SessionContext, { value: source }, children)
}

/**
 * The session, as of the last change in any tab. `useSession<typeof sessions>()` types the payload.
 * @throws Error outside of a {@link SessionProvider}.
 */
export function useSession<Sessions = unknown>(): SessionView<PayloadOf<Sessions>> {
  const source = useContext(SessionContext)
  if (source === null) throw new Error('useSession needs a SessionProvider above it')
  const view = useSyncExternalStore(source.subscribe, source.snapshot, source.initial)
  // A context has one type for all clients; which one it holds is the caller's to know.
  return view as SessionView<PayloadOf<Sessions>>
}
