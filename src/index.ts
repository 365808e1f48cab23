export { createSessions } from './create-sessions.ts'
export type { Sessions, CreateSessionsOptions } from './create-sessions.ts'

export {
  CrossSiteRequestError,
  GeneralError,
  InvalidClaimsError,
  InvalidDataError,
  isSessionError,
  SessionError,
  SessionNotFoundError,
  TokenTheftDetectedError,
  TryRefreshTokenError,
  UnauthorizedError,
} from './base/errors.ts'
export type { AnySessionError, ClaimValidationError, ErrorCode, FailureReason } from './base/errors.ts'
export type { Duration } from './base/duration.ts'
export { revocationStream } from './transport/revocation-stream.ts'
export type { ConsoleOperator, ConsoleOptions } from './transport/console-port.ts'
export { corsHeaders } from './transport/cors.ts'
export type { CorsOptions } from './transport/cors.ts'
export { allowInsecureCookies } from './transport/http-policy.ts'

export type { TrustedOrigin } from './transport/trusted-origins.ts'

export type { ClaimValidator } from './transport/claim-validators.ts'
export type { CreateNewSessionInput, CreateNewSessionOptions } from './transport/start-session.ts'
export type { ReadonlySession, Session, SessionJson } from './transport/session.ts'
export { returnAddress } from './transport/return-address.ts'
export type { GetSessionOptions, RequireSessionOptions } from './transport/get-session-options.ts'
export type { SessionReading } from './transport/get-session.ts'
export type { SessionEvents, TheftEvidence } from './session/events.ts'
export type { InputOf, OutputOf, SchemaTypes } from './session/data-types.ts'
export type { Misconfiguration } from './session/misconfiguration.ts'
export type { SessionDetails, SessionList, SessionSummary } from './session/summary.ts'
export type { SessionStore } from './session/store.ts'
export type { Health, HealthReason } from './session/health.ts'
export type { ReadyOptions } from './session/ready-options.ts'
