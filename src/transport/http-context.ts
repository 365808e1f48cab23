import type { Clock } from '../base/time.ts'
import type { SessionCore } from '../session/core.ts'
import type { UnverifiedTokens } from '../tokens/at-jwt.ts'
import type { CurrentSessions } from './current-session.ts'
import type { HttpPolicy } from './http-policy.ts'
import type { HttpImports } from './imports.ts'

/** What the HTTP flows need of a session core, and the functions that read tokens unverified. */
export interface HttpCore<Payload extends object, Info extends object>
  extends SessionCore<Payload, Info>, UnverifiedTokens {}

/** What the HTTP flows share. */
export interface HttpContext<Payload extends object, Info extends object> {
  readonly core: HttpCore<Payload, Info>
  readonly policy: HttpPolicy
  readonly clock: Clock
  readonly current: CurrentSessions<Payload, Info>
  /** Importers of sessions of other systems; null if the application has none. */
  readonly imports: HttpImports<Payload> | null
  /** Whether something serves the refresh endpoint, as far as this is known. */
  readonly routes: { served: boolean }
}
