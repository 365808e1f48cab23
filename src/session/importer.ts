import type { Awaitable } from '../base/awaitable.ts'
import type { JsonObject } from '../base/json.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { TransferMode } from '../base/wire.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import type { ApplicationIdentity } from '../tokens/refresh-token.ts'
import type { TokenClaims, TokenStyle } from '../tokens/token-format.ts'
import type { IssuedSession } from './core.ts'
import type { CoreParts } from './engine.ts'
import type { ClientInfo } from './record.ts'

/**
 * The port of an importer: it finds the credential of another session system in a request, judges it by that system's
 * rules, and makes it useless there. `keyturn/import` has importers for some systems; docs/import.md shows how to write
 * another. `State` is what `read` passes on to the other methods.
 */
export interface SessionImporter<State = unknown> {
  /**
   * The name of the system: 1 to 32 lower-case letters, digits and hyphens. It is part of every claim: never change it.
   */
  readonly source: string
  /** Where the credential arrives: with every request, or at the refresh endpoint only. */
  readonly at: 'request' | 'refresh'
  /**
   * Finds the credential and checks its signature, without I/O. Null if there is none, or it is not of this system: a
   * wrong signature means "not ours", never an attack. @throws any error if it needs data that cannot be read.
   */
  read(request: ImportRequest): Awaitable<ForeignCredential<State> | null>
  /**
   * Looks at the system's data: is the credential valid, and whose is it? Changes nothing. For a system without data on
   * the server, the signature and the expiry decide. @throws any error if the data cannot be read.
   */
  judge(credential: ForeignCredential<State>): Promise<ForeignVerdict>
  /**
   * Whether the credential is one of those that the claim's `proof` stands for. Needed if a session of the system has
   * several credentials, some of which are no longer valid. Default: each is.
   */
  matches?(credential: ForeignCredential<State>, proof: string): boolean
  /**
   * Deletes what the system keeps of the session. It is called again after a failure. Absent: there is nothing to
   * delete.
   */
  retire?(credential: ForeignCredential<State>): Promise<void>
  /** Deletes all sessions that the system keeps of a user. Absent: the not-before of the user is enough. */
  retireUser?(userId: string): Promise<void>
  /** The cookies to clear: every name, path and domain that the system may have set, and every chunk in the request. */
  clearings(request: ImportRequest): readonly ForeignCookie[]
  /**
   * For an importer that works at the refresh endpoint: whether the request shows that its client can refresh. The
   * response then asks for a refresh instead of a login.
   */
  announces?(request: ImportRequest): boolean
  /** Reads a page of the system's sessions, for `checkImport`. Absent: there are none on the server. */
  scan?(after: string | null, limit: number): Promise<ForeignPage>
  /** How many sessions `scan` will read, about; null if that is unknown. */
  count?(): Promise<number | null>
}

/** What an importer sees of a request. */
export interface ImportRequest {
  /** The values of all cookies with this name, percent-decoded, in the order sent. */
  cookies(name: string): readonly string[]
  /** The token of `Authorization: Bearer`, or null. */
  readonly bearer: string | null
  /** The header `anti-csrf`, or null. */
  readonly antiCsrf: string | null
}

/** A cookie of another system. */
export interface ForeignCookie {
  /** The name. */
  readonly name: string
  /** Default: `/`. */
  readonly path?: string
  /** Default: the host alone. */
  readonly domain?: string
}

/** A credential whose signature is valid. */
export interface ForeignCredential<State = unknown> {
  /**
   * The stable id of the session in its system, or a hash of the token if the session has none. It decides which
   * requests belong to the same session.
   */
  readonly key: string
  /** How the client will send the tokens of Keyturn: as it sent this credential. */
  readonly mode: TransferMode
  /** What `read` passes on to the other methods of the importer. */
  readonly state: State
}

/** What an importer says about a credential. */
export type ForeignVerdict =
  | LiveForeignSession
  /** A session without a login: it is left alone. */
  | { readonly kind: 'anonymous' }
  /** The session has ended. */
  | { readonly kind: 'dead'; readonly reason: DeadReason }
  /** The session lives, but this credential of it was replaced. */
  | { readonly kind: 'reused' }

/** Why a session of another system cannot be taken over. */
export type DeadReason = 'missing' | 'expired' | 'revoked' | 'no-user' | 'impersonated' | 'unreadable'

/** A session of another system that can be taken over. */
export interface LiveForeignSession {
  /** Says that the session can be taken over. */
  readonly kind: 'alive'
  /** The user who is logged in. */
  readonly userId: string
  /** Default: `public`. */
  readonly tenantId?: string
  /**
   * When the session was created in its system, or the latest time at which that can have been; null if it is unknown.
   * A revocation of the user's sessions after that refuses it; without a time, any revocation does.
   */
  readonly issuedAt: EpochMilliseconds | null
  /** When the user logged in, or the earliest time at which that can have been; null if it is unknown. */
  readonly authenticatedAt: EpochMilliseconds | null
  /** When the session ends in its system however often it is used. Default: no such time. */
  readonly fixedEnd?: EpochMilliseconds
  /** Whether browsers keep its cookie when they are closed. */
  readonly persistent: boolean
  /** The JWT payload of the new session. Default: `{}`. */
  readonly jwtPayload?: JsonObject
  /** The session data of the new session, kept in the store. Default: `{}`. */
  readonly sessionInfo?: JsonObject
  /** What `matches` needs to recognize the session's valid credentials later; no secret. At most 255 characters. */
  readonly proof?: string
}

/** A page of the sessions of another system. */
export interface ForeignPage {
  /** The sessions of this page, at most as many as the limit of `scan`. */
  readonly sessions: readonly ScannedSession[]
  /** Pass it as `after` to the next call; null at the end. */
  readonly next: string | null
}

/** A session that `scan` found. */
export interface ScannedSession {
  /** Names the session in a report. It must not be a credential. */
  readonly label: string
  /** What `judge` would say about a credential of the session. */
  readonly verdict: ForeignVerdict
}

/** Connects importers to the sessions of an application: `importSessions` of `keyturn/import` returns one. */
export interface ImportConnector {
  /** Connects the importers to the sessions. `createSessions` calls it; applications do not. */
  connect<Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims>(
    parts: CoreParts<Payload, Info, Style, Claims>,
    application: ApplicationIdentity,
  ): ConnectedImports<Payload, Claims, Style>
}

/** Importers that are connected to the sessions of an application. */
export interface ConnectedImports<
  Payload extends object, Claims extends TokenClaims = AccessClaims, Style extends TokenStyle = TokenStyle,
> {
  /** Finds a credential of another system; null if there is none. No I/O. */
  find(request: ImportRequest, at: SessionImporter['at']): Awaitable<FoundCredential<Payload, Claims, Style> | null>
  /** Whether the request shows that its client can refresh a session of another system. */
  announces(request: ImportRequest): boolean
  /**
   * Ends the session of a request's old credential for good, because the user has signed out, or has logged in anew: in
   * its system, and if it was taken over, here. Returns the cookies to clear. After a login, mode `keep` changes
   * nothing.
   */
  end(request: ImportRequest, after: 'sign-out' | 'login'): Promise<readonly ForeignCookie[]>
  /** Ends what a user has in the systems, where they can. */
  retireUser(userId: string): Promise<void>
}

/** A credential of another system that a request contains. */
export interface FoundCredential<
  Payload extends object, Claims extends TokenClaims = AccessClaims, Style extends TokenStyle = TokenStyle,
> {
  /** How it was sent. */
  readonly mode: TransferMode
  /**
   * Takes its session over. All calls with credentials of one session get the same session. `style`: of its tokens; by
   * default that of the token format.
   * @throws GeneralError (`STORE_UNAVAILABLE`) if the system's data cannot be read.
   */
  takeOver(client: ClientInfo, style?: Style): Promise<TakeOverOutcome<Payload, Claims>>
}

/** The result of {@link FoundCredential.takeOver}. */
export type TakeOverOutcome<Payload extends object, Claims extends TokenClaims = AccessClaims> =
  | {
    readonly kind: 'taken'
    readonly issued: IssuedSession<Payload, Claims>
    readonly clearings: readonly ForeignCookie[]
  }
  /** The credential is not to be taken over now. It is left alone, and counts as absent. */
  | { readonly kind: 'left' }
  /** The credential can never be taken over. */
  | { readonly kind: 'over'; readonly clearings: readonly ForeignCookie[] }
