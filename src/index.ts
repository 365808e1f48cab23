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
export type { KeepAlive } from './base/host.ts'
export { revocationStream } from './transport/revocation-stream.ts'
export type { ConsoleOperator, ConsoleOptions } from './transport/console-port.ts'
export { corsHeaders } from './transport/cors.ts'
export type { CorsOptions } from './transport/cors.ts'
export { allowInsecureCookies } from './transport/http-policy.ts'

export type { TrustedOrigin } from './transport/trusted-origins.ts'

export type { ClaimValidator, ClaimValidity } from './transport/claim-validators.ts'
export type { CreateNewSessionInput, CreateNewSessionOptions } from './transport/start-session.ts'
export type { ReadonlySession, Session, SessionJson } from './transport/session.ts'
export { returnAddress } from './transport/return-address.ts'
export type { GetSessionOptions, RequireSessionOptions } from './transport/get-session-options.ts'
export type { SessionReading } from './transport/get-session.ts'
export type { AntiCsrf } from './transport/http-policy.ts'
export type { CookieOptions } from './transport/cookie-config.ts'
export type {
  ImportRefusal, RejectedRefreshEvidence, SessionEvents, SharedRefreshEvidence, TheftEvidence, TokenUse,
} from './session/events.ts'
export type { Compute, InputOf, OutputOf, SchemaTypes, Update } from './session/data-types.ts'
export type { Blacklisting, ListOptions, RefreshCase, RevokeOptions, TenantOptions } from './session/core.ts'
export type { StandardSchema } from './base/standard-schema.ts'
export type { JsonObject, JsonValue } from './base/json.ts'
export type { Clock } from './base/time.ts'
export type { Entropy } from './base/entropy.ts'
export type { Scheduler } from './base/scheduler.ts'
export type { Misconfiguration } from './session/misconfiguration.ts'
export type { SessionDetails, SessionList, SessionSummary } from './session/summary.ts'
export type { SessionStore } from './session/store.ts'
export type { Health, HealthReason } from './session/health.ts'
export type { StoreFailure } from './session/observed-store.ts'
export type { ReadyOptions } from './session/ready-options.ts'
