import { longLivedHost } from '../base/host.ts'
import type { Host } from '../base/host.ts'
import { callback } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { KeyPurpose } from '../tokens/key-store.ts'
import type { RefreshCase } from './core.ts'
import type { Misconfiguration } from './misconfiguration.ts'
import type { ClientInfo } from './record.ts'

/** Describes a suspicious refresh: the presented refresh token and the session's current one. */
export interface RefreshEvidence {
  /** The user of the session. */
  readonly userId: string
  /** The handle of the session. */
  readonly handle: string
  /** The presented token: when it was presented (milliseconds), and by which client. */
  readonly presented: TokenUse
  /** The current token: when it became current (milliseconds), and to which client it was first delivered. */
  readonly current: TokenUse
}

/** A refresh token's place in the session's lineage, a point in time and a client. */
export interface TokenUse {
  /** The token's generation: how often the session had been refreshed. */
  readonly generation: number
  /** The token's branch: which child of its parent it is, counted from 0. */
  readonly branch: number
  /** When it was used or delivered, in milliseconds since 1970. */
  readonly at: EpochMilliseconds
  /** The address and the user agent of the party. */
  readonly by: ClientInfo
}

/** Describes a token theft. */
export interface TheftEvidence extends RefreshEvidence {
  /** Whether the session was revoked; false with `theft: 'observe'`. */
  readonly revoked: boolean
}

/** Describes a refresh token that was delivered to two networks (/24, /48) or user agents. */
export interface SharedRefreshEvidence extends RefreshEvidence {
  /** Whether the session was revoked; false with `sharedRefresh: 'observe'`, the default. */
  readonly revoked: boolean
}

/** Describes a refresh token with a valid tag that was rejected. The session stays active. */
export interface RejectedRefreshEvidence extends RefreshEvidence {
  /**
   * `superseded`: the user has authenticated again since the token was issued. `forged`: the token lacks the session's
   * anchor, so an attacker has made it with a leaked refresh key: replace the refresh keys (docs/leaks.md).
   */
  readonly reason: 'superseded' | 'forged'
}

/** Describes a credential of another system that was refused. */
export interface ImportRefusal {
  /** The name of the system. */
  readonly source: string
  /**
   * `invalid`: the session has ended there. `reused`: the credential was replaced there. `revoked`: the user's sessions
   * were revoked after it was issued. `ended`: its session was taken over and has ended. `replayed`: its session was
   * taken over, and the client has used newer tokens since, or sends it in the other transfer mode. `unwritable`: its
   * data does not fit into a session.
   */
  readonly reason: 'invalid' | 'reused' | 'revoked' | 'ended' | 'replayed' | 'unwritable'
  /** The session that was taken over; null if none was. */
  readonly handle: string | null
}

/** The events and their data. */
export interface SessionEventMap {
  /** A session was created. */
  readonly onSessionCreated: { readonly userId: string; readonly handle: string }
  /** A session was refreshed. */
  readonly onSessionRefreshed: { readonly userId: string; readonly handle: string; readonly how: RefreshCase }
  /** The user of a session has authenticated again. */
  readonly onSessionReauthenticated: { readonly userId: string; readonly handle: string }
  /** A session of another system was taken over. */
  readonly onSessionImported: { readonly userId: string; readonly handle: string; readonly source: string }
  /** A credential of another system was refused. */
  readonly onImportRefused: ImportRefusal
  /** Sessions were revoked. */
  readonly onSessionRevoked: {
    readonly handles: readonly string[]
    readonly reason: 'revoked' | 'signed-out' | 'theft' | 'shared' | 'evicted'
  }
  /** A refresh token was used by two parties. */
  readonly onTokenTheft: TheftEvidence
  /** A refresh token was delivered to two networks or user agents. */
  readonly onRefreshShared: SharedRefreshEvidence
  /** A refresh token with a valid tag was rejected, but the session stays active. */
  readonly onRefreshRejected: RejectedRefreshEvidence
  /** This process added a key. */
  readonly onKeyRotated: { readonly kid: string; readonly purpose: KeyPurpose }
  /** Background work failed, for example because the store is unavailable. Keyturn tries again. */
  readonly onBackgroundError: { readonly during: string; readonly error: unknown }
  /** An access token was accepted without a revocation check: the feed is stale and the store failed (`failOpen`). */
  readonly onUncheckedRevocation: { readonly handle: string }
  /**
   * Keyturn noticed a likely mistake in the configuration: `code`, `message`, and what came and what is configured
   * (docs/diagnosis.md). Once per code. Outside production, the message is also printed with `console.error`.
   */
  readonly onMisconfiguration: Misconfiguration
}

type Listeners = { readonly [Name in keyof SessionEventMap]?: (event: SessionEventMap[Name]) => unknown }

/**
 * Listeners for events. They run after the event and never delay a request. What they throw goes to `onListenerError`,
 * never to a request (ROT-07, DOS-07).
 */
export interface SessionEvents extends Listeners {
  /** Called when a listener throws or rejects. Default: logs with `console.error`. */
  readonly onListenerError?: (failure: { readonly listener: string; readonly error: unknown }) => unknown
}

/** The rules of the option `events`. */
export const eventRules: RulesFor<SessionEvents> = {
  onSessionCreated: callback(),
  onSessionRefreshed: callback(),
  onSessionReauthenticated: callback(),
  onSessionImported: callback(),
  onImportRefused: callback(),
  onSessionRevoked: callback(),
  onTokenTheft: callback(),
  onRefreshShared: callback(),
  onRefreshRejected: callback(),
  onKeyRotated: callback(),
  onBackgroundError: callback(),
  onUncheckedRevocation: callback(),
  onMisconfiguration: callback(),
  onListenerError: callback(),
}

/** Calls the listener of an event, asynchronously. */
export type Emit = <Name extends keyof SessionEventMap>(name: Name, event: SessionEventMap[Name]) => void

/** Creates the function that calls the listeners. */
export function createEmitter(events: SessionEvents, { keepAlive }: Pick<Host, 'keepAlive'> = longLivedHost): Emit {
  const listeners: Listeners = events
  const report = events.onListenerError
    ?? (({ listener, error }): void => console.error(`keyturn: the listener ${listener} failed:`, error))
  return (name, event) => {
    const listener = listeners[name]
    if (listener === undefined) return
    queueMicrotask(() => {
      try {
        keepAlive(Promise.resolve(listener(event)).catch((error: unknown) => report({ listener: name, error })))
      } catch (error) {
        report({ listener: name, error })
      }
    })
  }
}
