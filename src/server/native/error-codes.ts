/** The values of `error` in the responses of the native API, and what they mean. They are stable; messages are not. */
export const errorCodes: Readonly<Record<ApiErrorCode, string>> = {
  invalid_request: 'The path, the query or the body is invalid. The message names the member.',
  unknown_tenant: 'This server does not serve the tenant.',
  invalid_api_key: 'A valid API key is missing.',
  unauthorized: 'The token is invalid, or its session has ended: the user must log in.',
  invalid_access_token: 'The access token has expired, is invalid, or belongs to another session: refresh the session, '
    + 'then repeat the request.',
  token_theft_detected: 'Two parties used a refresh token: its session has been revoked.',
  not_found: 'The session or the path does not exist, or the session has ended.',
  method_not_allowed: 'The path does not have this method: see the header Allow.',
  conflict: 'The session info has another version.',
  refresh_busy:
    'An earlier response may still be on the way: keep the tokens, and repeat the request after Retry-After.',
  unavailable: 'The store does not answer, the server is stopping, or it has too many streams: repeat the request '
    + 'after Retry-After.',
  server_error: 'The request failed. The log of the server has the reason.',
}

/** A value of `error` in a response of the native API. */
export type ApiErrorCode =
  | 'invalid_request' | 'unknown_tenant' | 'invalid_api_key' | 'unauthorized' | 'invalid_access_token'
  | 'token_theft_detected'
  | 'not_found'
  | 'method_not_allowed'
  | 'conflict'
  | 'refresh_busy'
  | 'unavailable'
  | 'server_error'

/** All values of `error`. */
export const errorCodeNames: readonly string[] = Object.keys(errorCodes)
