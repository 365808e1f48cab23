// The session protocol's headers: the names that front-end SDKs, browsers and servers agree on. One constant each, so
// that a bundle holds only those that it uses: `import * as wire`.

/** Carries a bearer token: an access token, or a refresh token on the way to the refresh endpoint. */
export const authorization = 'authorization'
/** Says at login where the client wants its tokens: `cookie` or `header`. */
export const authMode = 'st-auth-mode'
/** Carries an access token to a client in header mode. */
export const accessToken = 'st-access-token'
/** Carries a refresh token to a client in header mode. */
export const refreshToken = 'st-refresh-token'
/** Tells scripts who is signed in, until when and with which claims; `remove` when nobody is. */
export const frontToken = 'front-token'
/** Carries an anti-CSRF token, both ways. */
export const antiCsrf = 'anti-csrf'
/** A header that no form can send: its presence proves a script of an allowed origin. */
export const customHeader = 'rid'
/** Which versions of the protocol a client speaks. */
export const protocolVersion = 'fdi-version'

/** Where a session's tokens travel; fixed when the session is created (CK-14). */
export type TransferMode = 'cookie' | 'header'
