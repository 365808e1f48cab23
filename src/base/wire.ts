/** Names that front-end SDKs, browsers and servers agree on: the session protocol's headers. */
export const wire: {
  readonly authorization: 'authorization'
  readonly authMode: 'st-auth-mode'
  readonly accessToken: 'st-access-token'
  readonly refreshToken: 'st-refresh-token'
  readonly frontToken: 'front-token'
  readonly antiCsrf: 'anti-csrf'
  readonly customHeader: 'rid'
  readonly protocolVersion: 'fdi-version'
} = {
  authorization: 'authorization',
  authMode: 'st-auth-mode',
  accessToken: 'st-access-token',
  refreshToken: 'st-refresh-token',
  frontToken: 'front-token',
  antiCsrf: 'anti-csrf',
  customHeader: 'rid',
  protocolVersion: 'fdi-version',
}

/** Where a session's tokens travel; fixed when the session is created (CK-14). */
export type TransferMode = 'cookie' | 'header'
