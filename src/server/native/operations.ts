import { PAGE_POSITION } from '../../stores/page-position.ts'
import type { ApiErrorCode } from './error-codes.ts'
import type { Schema } from '../../base/json-schema.ts'
import {
  accessTokenOnly, antiCsrfFlag, anyObject, anyText, client, errorBody, handle, infoVersion, jwtPayload, keyPurpose,
  keySet,
  lifetimes, nextKeys, object, ofTenant, pair, refreshRefusal, revoked, session, sessionPage, tenantId, token,
  tokenState,
  userId,
} from './schemas.ts'

/** An operation of the native API: requests are documented, routed and validated by it. */
export interface Operation {
  readonly id: OperationId
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** The path, with parameters in braces. */
  readonly path: string
  readonly tag: Tag
  readonly summary: string
  /** What the summary leaves out. */
  readonly details?: string
  /**
   * The parameters of the query, with their types and limits. Without it, the query is ignored. Free text, such as a user
   * id, is always one of them or a member of the body, never a part of the path: URLs cannot have the parts `.` and `..`.
   */
  readonly query?: Readonly<Record<string, Schema>>
  /** Those that a request must have. */
  readonly requiredQuery?: readonly string[]
  readonly body?: { readonly type: 'application/json' | 'application/x-www-form-urlencoded'; readonly schema: Schema }
  /** The responses by status, besides those that every operation has. */
  readonly responses: Readonly<Record<number, OperationResponse>>
}

/** A documented response. Its media type is JSON by default. */
export interface OperationResponse {
  readonly words: string
  /** null: no JSON body. */
  readonly schema: Schema | null
  readonly type?: string
  /** The values that `error` may have. */
  readonly codes?: readonly ApiErrorCode[]
}

/** The groups of operations, and what they are about. */
export const tags: Readonly<Record<Tag, string>> = {
  Sessions: 'Logins: created, refreshed, read, changed and revoked.',
  Users: 'All sessions of one user.',
  Tokens: 'Introspection (RFC 7662) and revocation (RFC 7009) of single tokens.',
  Keys: 'The public keys of access tokens, and their rotation.',
  Revocations: 'The stream of revocations.',
  Documents: 'The descriptions of the APIs of this server.',
}

/** The name of a group of operations. */
export type Tag = 'Sessions' | 'Users' | 'Tokens' | 'Keys' | 'Revocations' | 'Documents'

/** The names of the operations. */
export type OperationId =
  | 'createSession' | 'refreshSession' | 'readSession' | 'updateSession' | 'reauthenticateSession' | 'revokeSession'
  | 'revokeSessions' | 'listSessions' | 'revokeSessionsOfUser'
  | 'introspect' | 'revokeToken' | 'readKeys' | 'rotateKeys' | 'followRevocations'
  | 'readDescription' | 'readCdiDescription'

const invalid = failure('The request is invalid.', 'invalid_request')
const oldToken = failure('The access token is not one of the session that is valid now.', 'invalid_access_token')
const gone = failure('The session does not exist or has ended.', 'not_found')

/** Every operation, in the order of the documentation. */
export const operations: readonly Operation[] = [
  {
    id: 'createSession', method: 'POST', path: '/v1/sessions', tag: 'Sessions', summary: 'Creates a session.',
    details: 'Call it after the user has proved who they are.',
    body: {
      type: 'application/json',
      schema: object({
        userId, tenantId, jwtPayload, sessionInfo: anyObject, ...client, antiCsrf: antiCsrfFlag, ...lifetimes,
        persistent: {
          type: 'boolean',
          default: true,
          description: 'Whether cookies with its tokens remain when the browser closes.',
        },
        transferMode: {
          type: 'string', enum: ['header', 'cookie'], default: 'header',
          description: 'How its tokens are sent. An embedded application accepts them only that way.',
        },
      }, [
        'tenantId', 'jwtPayload', 'sessionInfo', 'ip', 'userAgent', 'antiCsrf', 'persistent', 'transferMode',
        'accessTokenLifetime', 'idleTimeout', 'absoluteTimeout',
      ]),
    },
    responses: {
      201: { words: 'The session and its tokens.', schema: pair },
      400: failure('The request is invalid.', 'invalid_request', 'unknown_tenant'),
      401: failure('All sessions of the user were revoked at the same time.', 'unauthorized'),
    },
  },
  {
    id: 'refreshSession', method: 'POST', path: '/v1/sessions/refresh', tag: 'Sessions',
    summary: 'Exchanges a refresh token for the next one.',
    details: 'For twice the reuse interval after a response, the same request returns the same refresh token again, '
      + 'and the current refresh token is exchanged for itself.',
    body: {
      type: 'application/json',
      schema: object({
        refreshToken: anyText, ...client, antiCsrf: antiCsrfFlag,
        antiCsrfToken: {
          type: 'string', description: 'If given, it must belong to the session; otherwise the response is 401.',
        },
      }, ['ip', 'userAgent', 'antiCsrf', 'antiCsrfToken']),
    },
    responses: {
      200: { words: 'The next tokens.', schema: pair }, 400: invalid,
      401: {
        words: 'The session has ended, or two parties used a refresh token and it was revoked for both.',
        schema: refreshRefusal, codes: ['unauthorized', 'token_theft_detected'],
      },
      503: failure('The session is active. Keep the tokens, and send the same request again.', 'refresh_busy'),
    },
  },
  {
    id: 'readSession', method: 'GET', path: '/v1/sessions/{handle}', tag: 'Sessions',
    summary: 'Returns an active session.',
    responses: { 200: { words: 'The session.', schema: session }, 404: gone },
  },
  {
    id: 'updateSession', method: 'PATCH', path: '/v1/sessions/{handle}', tag: 'Sessions',
    summary: 'Changes the JWT payload or the session info.',
    details: '`sessionInfo` replaces the session info, `mergeSessionInfo` is merged into it (RFC 7396); with '
      + '`sessionInfoVersion`, only if it still has this version. With `accessToken`, a valid access token of the '
      + 'session, the response has a new one with the payload.',
    body: {
      type: 'application/json',
      schema: { not: both('sessionInfo', 'mergeSessionInfo'), ...object({
        jwtPayload, accessToken: anyText,
        sessionInfo: anyObject, mergeSessionInfo: anyObject, sessionInfoVersion: infoVersion,
      }, ['jwtPayload', 'accessToken', 'sessionInfo', 'mergeSessionInfo', 'sessionInfoVersion']) },
    },
    responses: {
      200: { words: 'A new access token.', schema: accessTokenOnly },
      204: { words: 'Changed.', schema: null }, 400: invalid, 401: oldToken, 404: gone,
      409: failure('The session info has another version. Nothing was changed.', 'conflict'),
    },
  },
  {
    id: 'reauthenticateSession', method: 'POST', path: '/v1/sessions/{handle}/reauthenticate', tag: 'Sessions',
    summary: 'Notes that the user has proved again who they are.',
    details: 'The new access token has a new `auth_time`. Older refresh tokens of the session can no longer be used.',
    body: {
      type: 'application/json',
      schema: object({
        accessToken: { type: 'string', description: 'A valid access token of the session.' },
        ...client, antiCsrf: antiCsrfFlag,
      }, ['ip', 'userAgent', 'antiCsrf']),
    },
    responses: {
      200: { words: 'The new tokens.', schema: pair }, 400: invalid, 401: oldToken, 404: gone,
      503: failure('Another call has re-authenticated the session less than a reuse interval ago, and the access token '
        + 'is older.', 'refresh_busy'),
    },
  },
  {
    id: 'revokeSession', method: 'DELETE', path: '/v1/sessions/{handle}', tag: 'Sessions',
    summary: 'Revokes a session.',
    responses: { 204: { words: 'Revoked.', schema: null }, 404: gone },
  },
  {
    id: 'revokeSessions', method: 'POST', path: '/v1/sessions/revoke', tag: 'Sessions',
    summary: 'Revokes several sessions.',
    body: {
      type: 'application/json', schema: object({ handles: { type: 'array', items: anyText } }),
    },
    responses: {
      200: { words: 'The handles of the revoked sessions. Others did not exist.', schema: revoked }, 400: invalid,
    },
  },
  {
    id: 'listSessions', method: 'GET', path: '/v1/sessions', tag: 'Users',
    summary: 'Lists a user\'s active sessions, newest first.',
    requiredQuery: ['userId'],
    query: {
      userId,
      limit: {
        type: 'integer', format: 'int32', minimum: 1, maximum: 1000, default: 100,
        description: 'The most sessions of a page. A page may have fewer.',
      },
      after: {
        type: 'string', pattern: PAGE_POSITION.source, expected: 'the `next` of a page of sessions',
        description: 'The `next` of the page before.',
      },
      ...ofTenant,
    },
    responses: { 200: { words: 'A page. `next` is null on the last one.', schema: sessionPage }, 400: invalid },
  },
  {
    id: 'revokeSessionsOfUser', method: 'POST', path: '/v1/sessions/revoke-by-user', tag: 'Users',
    summary: 'Revokes all sessions of a user, or all except one.',
    query: {},
    body: {
      type: 'application/json',
      schema: object(
        { userId, except: { ...handle, description: 'The session to keep.' }, ...ofTenant }, ['except', 'tenantId'],
      ),
    },
    responses: { 200: { words: 'The handles of the revoked sessions.', schema: revoked }, 400: invalid },
  },
  {
    id: 'introspect', method: 'POST', path: '/v1/introspect', tag: 'Tokens',
    summary: 'Token introspection (RFC 7662) of access and refresh tokens.',
    details: 'Checks the store. With `anti_csrf_token`, a token is active only if the anti-CSRF token belongs to its '
      + 'session.',
    body: {
      type: 'application/x-www-form-urlencoded',
      schema: object(
        { token: anyText, token_type_hint: anyText, anti_csrf_token: anyText }, ['token_type_hint', 'anti_csrf_token'],
      ),
    },
    responses: { 200: { words: 'Whether the token is active now, and its claims.', schema: tokenState }, 400: invalid },
  },
  {
    id: 'revokeToken', method: 'POST', path: '/v1/revoke', tag: 'Tokens',
    summary: 'Token revocation (RFC 7009) of the session of a token.', details: 'Accepts any text.',
    body: { type: 'application/x-www-form-urlencoded', schema: token },
    responses: { 200: { words: 'Revoked, or nothing to revoke.', schema: object({}) }, 400: invalid },
  },
  {
    id: 'readKeys', method: 'GET', path: '/v1/keys', tag: 'Keys',
    summary: 'The public keys of the access tokens (RFC 7517).', details: 'They are the same as under the issuer.',
    responses: { 200: { words: 'A JSON Web Key Set.', schema: keySet } },
  },
  {
    id: 'rotateKeys', method: 'POST', path: '/v1/keys/rotate', tag: 'Keys',
    summary: 'Publishes new keys, which are used from an hour later.',
    details: 'A key that is published and not used yet is returned again, and no other one is created. There are at '
      + 'most 32 keys of a purpose. Keys of the purpose core-static are created only if `purpose` names them.',
    query: { purpose: { ...keyPurpose, description: 'Only keys of this purpose. Default: all that rotate.' } },
    responses: {
      200: { words: 'The newest key of each purpose, and when it is used first.', schema: nextKeys }, 400: invalid,
    },
  },
  {
    id: 'followRevocations', method: 'GET', path: '/v1/revocations', tag: 'Revocations',
    summary: 'A stream of server-sent events about revocations.',
    details: 'The events are `revoked` {handles, until}, `payload` {handle, version, until}, `keys` {until}. The '
      + 'stream begins with all events that can still concern a valid access token, or after Last-Event-ID. `synced` '
      + 'follows the last past event. An event may come twice. The stream ends if more than 1 MiB waits for a slow '
      + 'client: connect again with the last id.',
    responses: {
      200: { words: 'The stream.', schema: { description: 'Server-sent events.' }, type: 'text/event-stream' },
      503: failure('There are too many streams (10,000, or three quarters of the server\'s connections), or the server '
        + 'is stopping.', 'unavailable'),
    },
  },
  {
    id: 'readDescription', method: 'GET', path: '/v1/openapi.json', tag: 'Documents', summary: 'This document.',
    responses: { 200: { words: 'An OpenAPI 3.1 document.', schema: anyObject } },
  },
  {
    id: 'readCdiDescription', method: 'GET', path: '/v1/openapi-cdi.json', tag: 'Documents',
    summary: 'The description of CDI, the protocol of the SDKs.',
    responses: { 200: { words: 'An OpenAPI 3.1 document.', schema: anyObject } },
  },
]

/** Matches an object that has both members. */
function both(one: string, other: string): Schema {
  return { properties: { [one]: {}, [other]: {} }, required: [one, other] }
}

function failure(words: string, ...codes: readonly ApiErrorCode[]): OperationResponse {
  return { words, schema: errorBody, codes }
}
