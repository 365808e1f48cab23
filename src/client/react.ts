'use client'

import {
  createContext, createElement, Fragment, useContext, useEffect, useLayoutEffect, useMemo, useRef, useSyncExternalStore,
} from 'react'
import type { ReactElement, ReactNode } from 'react'
import { followSession } from './session-view.ts'
import type { SessionClient, SessionSource, SessionView } from './session-view.ts'
import type { ClientSession, PayloadOf } from './session.ts'
import type { ProofQuestion, ProofQuestions } from './step-up.ts'

export type { SessionView } from './session-view.ts'

const SessionContext = createContext<SessionSource<object> | null>(null)

/** Before the browser paints; on a server, where React warns of it, not at all. */
const useEffectBeforePaint = typeof document === 'undefined' ? useEffect : useLayoutEffect

/** Props of {@link SessionProvider}. */
export interface SessionProviderProps {
  /** What `createClient` returns. */
  readonly client: SessionClient<object>
  /**
   * The session that the server rendered the page with, as `session.toJSON()`; null for none. Leave it out if the
   * server did not read it. A new one counts: after a server action, for instance.
   */
  readonly initialSession?: ClientSession<object> | null | undefined
  /** The components that may call `useSession`. */
  readonly children?: ReactNode
}

/** Provides the session of a client to the components below it. */
export function SessionProvider({ client, initialSession, children }: SessionProviderProps): ReactElement {
  const source = useMemo(() => followSession(client, initialSession), [client])
  useEffectBeforePaint(() => source.rendered(initialSession), [source, initialSession])
  return createElement(SessionContext, { value: source }, children)
}

/**
 * The session, as of the last change in any tab. `useSession<typeof sessions>()` types the payload.
 * @throws Error outside a {@link SessionProvider}.
 */
export function useSession<Sessions = unknown>(): SessionView<PayloadOf<Sessions>>
/**
 * A part of the session: the component renders again only if `select` returns another value, compared by `Object.is`.
 * @example
 * const role = useSession<typeof sessions, string | undefined>(({ session }) => session?.jwtPayload.role)
 */
export function useSession<Sessions, Selected>(
  select: (view: SessionView<PayloadOf<Sessions>>) => Selected,
): Selected
export function useSession<Sessions, Selected>(
  select?: (view: SessionView<PayloadOf<Sessions>>) => Selected,
): SessionView<PayloadOf<Sessions>> | Selected {
  const source = useContext(SessionContext)
  if (source === null) throw new Error('useSession was called outside a SessionProvider: render one above')
  const read = (view: SessionView<object>): SessionView<PayloadOf<Sessions>> | Selected => {
    // A context has one type for all clients.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only the caller knows the type of the payload
    const typed = view as SessionView<PayloadOf<Sessions>>
    return select ? select(typed) : typed
  }
  return useSyncExternalStore(source.subscribe, () => read(source.snapshot()), () => read(source.initial()))
}

/** Props of {@link IfSignedIn} and {@link IfSignedOut}. */
export interface SessionGateProps {
  /** What is rendered if the condition holds. */
  readonly children?: ReactNode
}

/** Renders its children while somebody is signed in. */
export function IfSignedIn({ children }: SessionGateProps): ReactElement | null {
  return useSession<unknown, string>(({ status }) => status) === 'signed-in' ? createElement(Fragment, null, children)
    : null
}

/** Renders its children while nobody is signed in. */
export function IfSignedOut({ children }: SessionGateProps): ReactElement | null {
  return useSession<unknown, string>(({ status }) => status) === 'signed-out' ? createElement(Fragment, null, children)
    : null
}

/** Calls `onEnd` when the session ends, with the reason: for a redirect to the login, or a message. */
export function useSessionEnd(onEnd: (reason: SessionView<object>['reason']) => void): void {
  const { status, reason } = useSession()
  const before = useRef(status)
  useEffect(() => {
    if (before.current === 'signed-in' && status === 'signed-out') onEnd(reason)
    before.current = status
  }, [status, reason])
}

/**
 * What the user is asked to prove now, by `createStepUp` of `keyturn/client/parts`; null if nothing.
 * @example
 * const question = useStepUp(stepUp)
 * return question && <PasswordDialog refusal={question.refusal} onProof={stepUp.prove} onCancel={stepUp.cancel} />
 */
export function useStepUp<Id extends string>(stepUp: ProofQuestions<Id>): ProofQuestion<Id> | null {
  return useSyncExternalStore(stepUp.onChange, stepUp.question, noQuestion)
}

/** On a server that renders pages, nobody is asked. */
const noQuestion = (): null => null
