import type { JsonObject } from '../base/json.ts'

export type { JsonObject, JsonValue } from '../base/json.ts'
export type * from './api-reports.ts'

/**
 * The JSON of the console's API, for the server and for the console's pages. It imports types only, so that the pages
 * need no other module. Points in time are in milliseconds since 1970 (`At`), spans in milliseconds.
 *
 * All paths are relative to `api/` below the console. Changes (PUT, POST, DELETE) need the header `x-console-token`
 * with {@link SignedInOperator.changeToken} and, if they have a body, `content-type: application/json`. Responses that
 * are not 2xx have an {@link ApiError} as body.
 */

/** Milliseconds since 1970. */
export type At = number
/** A span in milliseconds. */
export type Span = number

/** `read` sees everything; `manage` also changes. */
export type Role = 'read' | 'manage'

/** A response that is not 2xx. */
export interface ApiError {
  readonly code: ConsoleErrorCode
  /** What happened and what to do, as a sentence. */
  readonly message: string
  /** The member of the body or the parameter that is invalid; absent if it is none of them. */
  readonly field?: string
}

export type ConsoleErrorCode =
  /** 401: no console session, or it has ended. Show the login. */
  | 'unauthenticated'
  /** 401 of `POST login`: no such API key. */
  | 'invalid_api_key'
  /** 403: the role is `read`. */
  | 'read_only'
  /** 403: the request did not come from a page of the console's origin. */
  | 'foreign_origin'
  /** 403: `x-console-token` is missing, or of another login: read `me` again. */
  | 'invalid_change_token'
  /** 404: the session has ended or never existed, or the path does not exist. */
  | 'not_found'
  /** 405, 413, 415 and 400. */
  | 'method_not_allowed' | 'too_large' | 'unsupported_type' | 'invalid_request'
  /** 409: the data has another version. The body is a {@link Conflict}. */
  | 'conflict'
  /** 429: too many attempts to log in. The header `retry-after` has seconds. */
  | 'too_many_attempts'
  /** 503: the store does not answer. */
  | 'unavailable'
  /** 500. */
  | 'server_error'

/** `GET me`. 401 without a console session. */
export interface SignedInOperator {
  readonly name: string
  readonly role: Role
  readonly product: { readonly name: 'Keyturn'; readonly version: string }
  /** `key`: the console has its own login by API key (and `logout`). `embedded`: the application decides. */
  readonly login: 'key' | 'embedded'
  /** The value of the header `x-console-token` of each change. */
  readonly changeToken: string
  /** The application whose sessions the console shows: its name in the store. */
  readonly application: string
  /** The server's clock at the response: for relative times on a machine whose clock is wrong. */
  readonly now: At
  /** When the console session ends without a further request, and at the latest; null if embedded. */
  readonly session: { readonly idleTimeout: Span; readonly endsAt: At } | null
}

/** `POST login` (only `login: 'key'`). 204 and a cookie; 401 `invalid_api_key`; 429. Needs no change token. */
export interface LoginRequest {
  readonly apiKey: string
}
// `POST logout`: 204. Needs the change token.

/** `GET login`: whether there is a login, without one. Never 401. */
export interface LoginInfo {
  readonly login: 'key' | 'embedded'
  readonly product: { readonly name: 'Keyturn'; readonly version: string }
}

/** `GET overview`. */
export interface Overview {
  readonly now: At
  readonly health: HealthSummary
  /** Totals of the process that serves the console since it started. */
  readonly counters: Counters
  readonly series: HourSeries
  /**
   * How many sessions have a valid access token that this process has verified. `isAtLeast`: the cache was too small to
   * keep all, there may be more. Null if the cache is turned off.
   */
  readonly sessionsInUse: { readonly count: number; readonly isAtLeast: boolean } | null
  /** What each number means, as a sentence, for hovering. */
  readonly meanings: Readonly<Record<MeaningName, string>>
}

export interface Counters {
  readonly logins: number
  readonly refreshes: number
  readonly revocations: number
  readonly thefts: number
  /** Refresh tokens that were rejected although their tag was valid. */
  readonly refusals: number
  /** Access tokens that were verified: hits and misses of the cache. */
  readonly verified: number
  readonly cacheHits: number
  /** Access tokens that were rejected. */
  readonly rejected: number
  /** Store calls that failed. */
  readonly storeFailures: number
}

/**
 * The last hour in steps of 15 seconds, oldest first. Point `i` covers `from + i * step` to `from + (i + 1) * step`. A
 * null is a gap: the process did not measure, or there was nothing to measure. Counts are per step, latencies in
 * milliseconds.
 */
export interface HourSeries {
  readonly from: At
  readonly step: Span
  readonly logins: readonly (number | null)[]
  readonly refreshes: readonly (number | null)[]
  readonly revocations: readonly (number | null)[]
  readonly thefts: readonly (number | null)[]
  readonly refusals: readonly (number | null)[]
  readonly verified: readonly (number | null)[]
  readonly cacheHits: readonly (number | null)[]
  readonly verifyP50: readonly (number | null)[]
  readonly verifyP99: readonly (number | null)[]
  readonly storeP50: readonly (number | null)[]
  readonly storeP99: readonly (number | null)[]
  /** Milliseconds since the revocation feed was read; 0 while no verification needs it. */
  readonly feedLag: readonly (number | null)[]
  readonly sessionsInUse: readonly (number | null)[]
}

export type SeriesName = Exclude<keyof HourSeries, 'from' | 'step'>
export type MeaningName = SeriesName | 'rejected' | 'storeFailures' | 'keyAge' | 'storeLatency'

/** From `health()` of the process. */
export interface HealthSummary {
  readonly status: 'ok' | 'degraded' | 'failing'
  readonly since: At
  readonly reasons: readonly string[]
  readonly store: { readonly isReachable: boolean; readonly latency: Span | null }
  readonly feed: {
    readonly mode: 'off' | 'feed' | 'strict'
    readonly state: string
    readonly age: Span | null
    readonly isStale: boolean
    readonly fallback: 'none' | 'store' | 'failOpen' | 'failClosed'
  }
  /** Null before the keys were first read. */
  readonly keys: {
    readonly current: string
    readonly age: Span
    readonly nextRotation: At
    readonly areEncrypted: boolean
    readonly count: number
  } | null
  readonly cache: { readonly entries: number; readonly hits: number; readonly misses: number }
}

/** A client, as far as the application trusts it. Both texts come from the client: show them as text only. */
export interface ShownClient {
  readonly ip: string | null
  readonly userAgent: string | null
  /** "Firefox on Linux", made from `userAgent`; null if that names no known browser or program. */
  readonly deviceName: string | null
}

/** A line of a list. */
export interface SessionRow {
  readonly handle: string
  readonly userId: string
  readonly tenantId: string
  readonly createdAt: At
  /** When it was last refreshed. */
  readonly refreshedAt: At
  /** When it expires if it is not refreshed. */
  readonly expiresAt: At
  /** The client of the last refresh, or of the login. */
  readonly client: ShownClient
}

/**
 * `GET sessions?userId&tenantId&ip&device&after&limit`: sessions of all users, or of one, newest login first.
 * `device` is a part of the user agent, upper or lower case; `ip` is exact. `limit` is 1 to 200, by default 50. A
 * filtered page may have fewer rows than `limit`, even none, although there are more: go on while `next` is not null.
 */
export interface SessionRows {
  readonly sessions: readonly SessionRow[]
  /** Pass it as `after`; null on the last page. */
  readonly next: string | null
}

/** Data of the application and the version that a change must name. */
export interface Versioned {
  /** A JSON object. */
  readonly value: JsonObject
  readonly version: number
}


/** `GET sessions/{handle}`. 404 if it has ended. */
export interface SessionDetail extends SessionRow {
  /** When the user last proved who they are. */
  readonly authenticatedAt: At
  readonly lifetimes: {
    readonly accessToken: Span
    readonly idleTimeout: Span
    /** When it ends however often it is refreshed; null: never. */
    readonly absoluteExpiry: At | null
    readonly reuseInterval: Span
  }
  /** The place of the current refresh token. */
  readonly lineage: {
    readonly generation: number
    readonly branch: number
    readonly isConfirmed: boolean
    /** The same in words. */
    readonly sentence: string
  }
  /** Whether the browser keeps the cookies when it is closed. */
  readonly isPersistent: boolean
  readonly refreshKeyId: string
  readonly jwtPayload: Versioned
  readonly sessionInfo: Versioned
}

/**
 * `PUT sessions/{handle}/payload` and `PUT sessions/{handle}/info`: 204; 400 with the field (`value` or `version`) and
 * the sentence; 404; 409 with a {@link Conflict}.
 */
export interface DataChange {
  readonly value: JsonObject
  /** The version that the operator saw. */
  readonly version: number
}

/** The 409 of a {@link DataChange}. */
export interface Conflict extends ApiError {
  readonly code: 'conflict'
  readonly current: Versioned
}

// `DELETE sessions/{handle}`: 204, or 404 if there was none.

/** `POST revocations`. The answer is {@link Revoked}. */
export interface RevocationRequest {
  readonly userId: string
  /** The handle of a session to keep. */
  readonly except?: string
  readonly tenantId?: string
}
export interface Revoked {
  readonly revoked: number
}

/** `GET health`. */
export interface HealthReport {
  readonly health: HealthSummary
  readonly findings: readonly ConsoleFinding[]
  /** The configuration in effect, without secrets. */
  readonly configuration: readonly ConfigurationEntry[]
}

export interface ConsoleFinding {
  readonly severity: 'error' | 'warning' | 'info'
  /** What is the case. */
  readonly sentence: string
  /** What to do. */
  readonly cure: string
}

export interface ConfigurationEntry {
  readonly name: string
  /** As text. A secret is never shown: `set` or `not set`. */
  readonly value: string
  readonly isDefault: boolean
}
