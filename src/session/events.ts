import { callback } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { KeyPurpose } from '../tokens/key-store.ts'
import type { RefreshCase } from './core.ts'
import type { ClientInfo } from './record.ts'

/** What is known of a refresh that is reported: the presented refresh token and the session's current one. */
export interface RefreshEvidence {
  readonly userId: string
  readonly handle: string
  /** The token that was presented: when (milliseconds) and by whom. */
  readonly presented: TokenSighting
  /** The session's current token: when it became current (milliseconds), and whom it was first delivered to. */
  readonly current: TokenSighting
}

/** A refresh token's place in its session's lineage, a point in time, and a client. */
export interface TokenSighting {
  /** How often the session had been refreshed. */
  readonly generation: number
  /** Which child of its parent the token is. */
  readonly branch: number
  readonly at: EpochMilliseconds
  readonly by: ClientInfo
}

/** What is known of a theft when it is caught. */
export interface TheftEvidence extends RefreshEvidence {
  /** Whether the session was ended; false with `theft: 'observe'`. */
  readonly revoked: boolean
}

/** What is known when one refresh token is given to two networks (/24, /48) or user agents. */
export interface SharedRefreshEvidence extends RefreshEvidence {
  /** Whether the session was ended; false with `sharedRefresh: 'observe'`, the default. */
  readonly revoked: boolean
}

/** What is known of a refresh token with a valid tag that was refused, though its session goes on. */
export interface RejectedRefreshEvidence extends RefreshEvidence {
  /**
   * `superseded`: the user has authenticated again since the token was issued. `forged`: the token lacks the session's
   * anchor, so it was made with a refresh key that has leaked: replace the refresh keys (docs/leaks.md).
   */
  readonly reason: 'superseded' | 'forged'
}

/** What happens, and what is told of it. */
export interface SessionEventMap {
  /** A user has logged in. */
  readonly onSessionCreated: { readonly userId: string; readonly handle: string }
  /** A session got its next tokens. */
  readonly onSessionRefreshed: { readonly userId: string; readonly handle: string; readonly how: RefreshCase }
  /** Sessions were revoked. */
  readonly onSessionRevoked: {
    readonly handles: readonly string[]
    readonly reason: 'revoked' | 'theft' | 'shared' | 'evicted'
  }
  /** Two parties have used one refresh token. */
  readonly onTokenTheft: TheftEvidence
  /** One refresh token was given to two networks or user agents. */
  readonly onRefreshShared: SharedRefreshEvidence
  /** A refresh token with a valid tag was refused, though its session goes on. */
  readonly onRefreshRejected: RejectedRefreshEvidence
  /** A new key was made. */
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
  /** A listener threw or rejected. Default: `console.error`. */
  readonly onListenerError?: (failure: { readonly listener: string; readonly error: unknown }) => unknown
}

/** What the option `events` accepts. */
export const eventRules: RulesFor<SessionEvents> = {
  onSessionCreated: callback(),
  onSessionRefreshed: callback(),
  onSessionRevoked: callback(),
  onTokenTheft: callback(),
  onRefreshShared: callback(),
  onRefreshRejected: callback(),
  onKeyRotated: callback(),
  onBackgroundError: callback(),
  onUncheckedRevocation: callback(),
  onListenerError: callback(),
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
