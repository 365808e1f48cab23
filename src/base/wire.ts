// The header names of the session protocol, shared by front-end SDKs, browsers and servers. One constant each, so that
// a bundle contains only those it uses: `import * as wire`.

/** A bearer token: an access token, or a refresh token in requests to the refresh endpoint. */
export const authorization = 'authorization'
/** The transfer mode that the client asks for at login: `cookie` or `header`. */
export const authMode = 'st-auth-mode'
/** An access token, in responses in header mode. */
export const accessToken = 'st-access-token'
/** A refresh token, in responses in header mode. */
export const refreshToken = 'st-refresh-token'
/** For scripts: the user, the expiry and the claims of the session; `remove` if there is no session. */
export const frontToken = 'front-token'
/**
 * Why a session has ended, and its handle: `revoked c…`, in responses that send `front-token: remove` about a session.
 * Several handles if the request had several. A client with another session ignores such a response.
 */
export const sessionEnded = 'session-ended'
/** An anti-CSRF token, in requests and responses. */
export const antiCsrf = 'anti-csrf'
/** A header that HTML forms cannot send: its presence proves that a script of an allowed origin sent the request. */
export const customHeader = 'rid'
/** The versions of the protocol that a client supports. */
export const protocolVersion = 'fdi-version'

/**
 * Why a session has ended. `signed-out`: by a sign-out. `expired`: it was not used for too long, or is too old.
 * `revoked`: by the application, an administrator or another device. `theft`: its refresh token was used by two
 * parties. `replaced`: by another login in the same browser.
 */
export type EndReason = 'signed-out' | 'expired' | 'revoked' | 'theft' | 'replaced'

/** How a session's tokens are sent; fixed when the session is created (CK-14). */
export type TransferMode = 'cookie' | 'header'
