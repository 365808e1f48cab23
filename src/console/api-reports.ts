import type { JsonObject } from '../base/json.ts'
import type { At, ConsoleFinding, Role, ShownClient } from './api-types.ts'

// The part of the console's API that is about events, keys and tokens.

/**
 * `GET events?kind&userId&handle&after&limit`. `kind`: `audit`, or `theft` for all that concerns refresh tokens
 * (`theft`, `shared` and `rejected`). Newest first. `userId`: whom the event is about. A page may have fewer events
 * than `limit`. `GET events/export?kind&userId&handle&format=json|csv`: the whole log as a download.
 */
export interface ConsoleEvents {
  readonly events: readonly ConsoleEvent[]
  readonly next: string | null
}

export type ConsoleEvent = TokenEvent | AuditEvent

interface EventBase {
  readonly id: string
  readonly at: At
  /** When it is deleted: 30 days later. */
  readonly until: At
  readonly userId: string | null
  readonly handle: string | null
}

/** A suspicious refresh: `theft`: two parties used a token; `shared`: one was given to two networks or user agents. */
export interface TokenEvent extends EventBase {
  readonly kind: 'theft' | 'shared' | 'rejected'
  /** The refresh token that was presented: when, by whom. */
  readonly presented: ShownTokenUse | null
  /** The session's current one: since when, first delivered to whom. */
  readonly current: ShownTokenUse | null
  /** Whether the session was revoked. */
  readonly isRevoked: boolean
  /** Of `rejected`. */
  readonly reason: 'superseded' | 'forged' | null
  /** What happened, in words. */
  readonly sentence: string
}

export interface ShownTokenUse {
  readonly generation: number
  readonly branch: number
  readonly at: At
  readonly by: ShownClient
}

/** Something that an operator did. */
export interface AuditEvent extends EventBase {
  readonly kind: 'audit'
  readonly action: AuditAction
  /** Who, and with which role. */
  readonly operator: string
  readonly role: Role
  /** `intended`: written before the change; `done` and `failed`: after it. A change has an `intended` and a result. */
  readonly stage: 'intended' | 'done' | 'failed'
  /** Ties the entries of one change together. */
  readonly changeId: string
  /** What was done, in words, without the data itself. */
  readonly sentence: string
}

/** What operators do. `other`: something that another version of the console can do. */
export const auditActions = [
  'login', 'login-refused', 'logout', 'update-payload', 'update-info', 'revoke-session', 'revoke-user', 'rotate-keys',
  'export', 'other',
] as const
export type AuditAction = (typeof auditActions)[number]

/** `GET keys`. `POST keys/rotation`: 204. */
export interface Keys {
  readonly keys: readonly KeyRow[]
  /** When the next signing key comes into use; null without keys. */
  readonly nextRotation: At | null
  /** The public key set (RFC 7517). */
  readonly jwks: { readonly keys: readonly JsonObject[] }
  /** What to say about keys that are not encrypted, and the like. */
  readonly findings: readonly ConsoleFinding[]
}

export interface KeyRow {
  readonly kid: string
  readonly purpose: 'access' | 'refresh' | 'core-dynamic' | 'core-static'
  readonly algorithm: string
  /** `next`: published, not used yet. `current`: in use. `previous`: only verifies. */
  readonly state: 'next' | 'current' | 'previous'
  readonly createdAt: At
  readonly activeFrom: At
  /** When it is removed at the earliest; null: not planned yet. */
  readonly removedAt: At | null
  readonly isEncrypted: boolean
}

/** `POST inspections`. Needs the change token, but not the role `manage`. Nothing of it is stored or logged. */
export interface InspectionRequest {
  readonly token: string
}

export type Verdict = 'good' | 'warning' | 'bad' | 'unknown'
export interface Judgement {
  readonly verdict: Verdict
  readonly sentence: string
}
export type InspectedPart = 'header' | 'claims' | 'signature' | 'key' | 'lifetime' | 'revocation'

export interface Inspection {
  /** Whether this server would accept it now. */
  readonly verdict: Verdict
  readonly sentence: string
  readonly parts: Readonly<Record<InspectedPart, Judgement>>
  /** The decoded header and claims; null if they cannot be decoded. Texts of strangers: show them as text only. */
  readonly header: JsonObject | null
  readonly claims: JsonObject | null
  /** The session, if this server knows it. */
  readonly handle: string | null
  readonly userId: string | null
  /** `sub`, `sid` and other claims of the library with what they mean, and times as points in time. */
  readonly explained: readonly { readonly claim: string; readonly meaning: string; readonly at: At | null }[]
}
