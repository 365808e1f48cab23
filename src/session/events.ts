import type { KeyPurpose } from '../tokens/key-store.ts'
import type { RefreshCase } from './core.ts'
import type { ClientInfo } from './record.ts'

/** What is known of a theft when it is caught. */
export interface TheftEvidence {
  readonly userId: string
  readonly handle: string
  /** Where the presented refresh token stands in the session's lineage. */
  readonly presented: { readonly generation: number; readonly branch: number }
  /** Where the current refresh token stands. */
  readonly current: { readonly generation: number; readonly branch: number }
  /** How long ago the current token was first given out, in milliseconds. */
  readonly sinceRotation: number
  /** Who presented the token just now. */
  readonly presentedBy: ClientInfo
  /** Who refreshed last. */
  readonly lastRefreshedBy: ClientInfo
  /** Whether the session was ended; false under `theft: 'observe'`. */
  readonly revoked: boolean
}

/** What happens, and what is told of it. */
export interface SessionEventMap {
  readonly onSessionCreated: { readonly userId: string; readonly handle: string }
  readonly onSessionRefreshed: { readonly userId: string; readonly handle: string; readonly how: RefreshCase }
  readonly onSessionRevoked: {
    readonly handles: readonly string[]
    readonly reason: 'revoked' | 'theft' | 'evicted'
  }
  readonly onTokenTheft: TheftEvidence
  readonly onKeyRotated: { readonly kid: string; readonly purpose: KeyPurpose }
  /** Work in the background failed and will be tried again: the store could not be reached. */
  readonly onBackgroundError: { readonly during: string; readonly error: unknown }
  /** A request was served on its signature alone: the feed is stale and the store down (`failOpen`). */
  readonly onUncheckedRevocation: { readonly handle: string }
}

type Listeners = { readonly [Name in keyof SessionEventMap]?: (event: SessionEventMap[Name]) => unknown }

/**
 * What an application can hear of. Listeners run after the fact: they never delay a request, and what they
 * throw goes to `onListenerError`, never to a request (ROT-07, DOS-07).
 */
export interface SessionEvents extends Listeners {
  /** A listener threw. Default: `console.error`. */
  readonly onListenerError?: (failure: { readonly listener: string; readonly error: unknown }) => unknown
}

/** Calls the listener of an event, later. */
export type Emit = <Name extends keyof SessionEventMap>(name: Name, event: SessionEventMap[Name]) => void

/** Makes the one place where listeners are called from. */
export function createEmitter(events: SessionEvents): Emit {
  const listeners: Listeners = events
  const report = events.onListenerError
    ?? (({ listener, error }): void => console.error(`keyturn: the listener ${listener} failed:`, error))
  return (name, event) => {
    const listener = listeners[name]
    if (listener === undefined) return
    queueMicrotask(() => {
      try {
        Promise.resolve(listener(event)).catch((error: unknown) => report({ listener: name, error }))
      } catch (error) {
        report({ listener: name, error })
      }
    })
  }
}
