export { createSessions } from './create-sessions.ts'
export type { Sessions, SessionsOptions } from './create-sessions.ts'

export {
  CrossSiteRequestError,
  GeneralError,
  InvalidClaimsError,
  isSessionError,
  SessionError,
  TokenTheftDetectedError,
  TryRefreshTokenError,
  UnauthorizedError,
} from './base/errors.ts'
