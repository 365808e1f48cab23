import type { SessionHandle } from '../base/handle.ts'
import type { JsonObject } from '../base/json.ts'
import type { Scheduler } from '../base/scheduler.ts'
import type { Milliseconds, EpochMilliseconds } from '../base/time.ts'
import type { IdentifiedAccessToken, SessionCore, StoredSession } from '../session/core.ts'
import type { Engine } from '../session/engine.ts'
import type { TokenClaims } from '../tokens/token-format.ts'
import type { ConsoleCall, ConsoleOperator, ConsolePlace } from '../transport/console-port.ts'
import type { ConfigurationEntry } from './api-types.ts'

/** What a console shows and changes: the sessions of one application. */
export interface ConsoleSubject {
  readonly engine: Engine
  /** Its sessions with the library's token format. */
  readonly core: ConsoleCore
  /** Ends what a user has in the systems whose sessions the application takes over. Never rejects. */
  readonly retireUser: (userId: string) => Promise<void>
  /** The formats of its access tokens. */
  readonly formats: readonly InspectedFormat[]
  readonly place: ConsolePlace
  /** The application's name in the store. */
  readonly application: string
  readonly version: string
  /** The configuration in effect, without secrets. */
  readonly configuration: readonly ConfigurationEntry[]
  readonly schedule: Scheduler
  /** Reads a text file of the package; null if it is not there. */
  readonly readPackageFile: (path: string) => Promise<string | null>
}

/** The operations of a session core that the console uses. Data is any JSON: schemas of the application check it. */
export interface ConsoleCore extends Pick<
  SessionCore<object, object>,
  | 'revokeSession' | 'rotateKeys' | 'getJwks' | 'identify' | 'createAntiCsrfToken' | 'isAntiCsrfToken'
> {
  getStoredSession(handle: string): Promise<Pick<StoredSession<object, object>, 'record'>>
  updateJwtPayloadIf(version: number, handle: string, payload: JsonObject): Promise<boolean>
  updateSessionInfoIf(version: number, handle: string, info: JsonObject): Promise<boolean>
}

/** A format of access tokens, for the inspection of one. */
export interface InspectedFormat {
  /** The value of `typ` in the header of its tokens. */
  readonly typ: string
  /** The issuer and audience that its tokens must have; null if it does not check them. */
  readonly issuer: string | null
  readonly audience: string | null
  /** Identifies a token whose signature and claims are right; null for any other. Counts and keeps nothing. */
  identify(token: string): Promise<IdentifiedAccessToken<TokenClaims> | null>
}

/** An operator whose request was accepted. */
export interface Operator extends ConsoleOperator {
  /** What change tokens are bound to: the handle of the console session, or one that stands for the operator. */
  readonly tokenHandle: SessionHandle
  /** When the console session ends; null if the application decides. */
  readonly session: { readonly idleTimeout: Milliseconds; readonly endsAt: EpochMilliseconds } | null
}

/** Who may use a console. */
export interface ConsoleAccess {
  readonly login: 'key' | 'embedded'
  /** The operator who has sent a request; null: nobody who may use the console. */
  find(call: ConsoleCall): Promise<Operator | null>
  /** Creates and checks change tokens. */
  readonly tokens: Pick<SessionCore<object, object>, 'createAntiCsrfToken' | 'isAntiCsrfToken'>
  /** Login and logout by API key; null if the application decides. */
  readonly keyLogin: KeyLogin | null
}

/** The console's own login. */
export interface KeyLogin {
  /** Starts a console session, whose cookies it writes into the reply of the call. */
  logIn(call: ConsoleCall, apiKey: string): Promise<LoginOutcome>
  /** Ends the console session of the call. */
  logOut(call: ConsoleCall): Promise<void>
}

/** The result of a login. */
export type LoginOutcome =
  | { readonly kind: 'in'; readonly operator: ConsoleOperator }
  /** `isNoted`: whether it belongs into the audit log, which nobody must be able to fill. */
  | { readonly kind: 'refused'; readonly isNoted: boolean }
  /** There were too many attempts. */
  | { readonly kind: 'wait'; readonly retryAfter: Milliseconds }
