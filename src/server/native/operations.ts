import { TENANT_ID } from '../../session/identifiers.ts'
import type { Schema } from './schema.ts'

/** An operation of the native API: requests are documented, routed and validated by it. */
export interface Operation {
  readonly id: OperationId
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** The path, with parameters in braces. */
  readonly path: string
  readonly summary: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: { readonly type: 'application/json' | 'application/x-www-form-urlencoded'; readonly schema: Schema }
  /** The responses by status. */
  readonly responses: Readonly<Record<number, OperationResponse>>
}

/** A documented response. Its media type is JSON by default. */
export interface OperationResponse {
  readonly words: string
  /** null: no JSON body. */
  readonly schema: Schema | null
  readonly type?: string
}

/** The names of the operations. */
export type OperationId =
  | 'createSession' | 'refreshSession' | 'readSession' | 'updateSession' | 'reauthenticateSession' | 'revokeSession'
  | 'revokeSessions'
  | 'listSessions' | 'revokeSessionsOfUser'
  | 'introspect' | 'revokeToken' | 'readKeys' | 'rotateKeys' | 'followRevocations' | 'readDescription'

const text: Schema = { type: 'string' }
const instant: Schema = { type: 'integer', description: 'Milliseconds since 1970.' }
const anyObject: Schema = { type: 'object' }
/** The client of the user. */
const client = {
  ip: { type: 'string', description: 'The address of the user\'s client; only the first 64 characters are stored.' },
  userAgent: { type: 'string', description: 'The client\'s User-Agent; only the first 512 characters are stored.' },
} as const

function object(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  return {
    type: 'object', properties, additionalProperties: false,
    required: Object.keys(properties).filter(name => !optional.includes(name)),
  }
}

/** The schema checks only the type. The rest is checked where all interfaces check user ids, with the same messages. */
const userId: Schema = { type: 'string', description: '1 to 255 UTF-16 code units, well-formed, without U+0000.' }
const tenantId: Schema = { type: 'string', pattern: TENANT_ID.source }
/** The query parameter that selects one tenant of a user. */
const ofTenant = { tenantId: 'The tenant whose sessions are meant. Default: all tenants.' } as const
const error = object({ error: { type: 'string', description: 'A stable code.' }, message: text })
const summary = {
  handle: text, userId: text, tenantId: text, createdAt: instant, expiresAt: instant,
  ip: { type: ['string', 'null'] }, userAgent: { type: ['string', 'null'] },
} as const
const version: Schema = { type: 'integer', description: 'The number of changes of sessionInfo.' }
const session = object({ ...summary, jwtPayload: anyObject, sessionInfo: anyObject, sessionInfoVersion: version })
const pair = object({
  handle: text, userId: text, tenantId: text,
  accessToken: text, accessTokenExpiresAt: instant, refreshToken: text, sessionExpiresAt: instant, antiCsrfToken: text,
}, ['antiCsrfToken'])
const antiCsrf: Schema = {
  type: 'boolean', description: 'Whether the response has an anti-CSRF token of the session. Default: false.',
}
const seconds = (maximum: number): Schema => ({
  type: 'integer', minimum: 1, maximum, description: 'Seconds; at most as configured. Default: as configured.',
})
const lifetimes = {
  accessTokenLifetime: seconds(86_400), idleTimeout: seconds(34_560_000), absoluteTimeout: seconds(3_153_600_000),
} as const
const invalid = { words: 'The request is invalid.', schema: error }
const gone = { words: 'The session does not exist or has ended.', schema: error }
const revoked = object({ revoked: { type: 'array', items: text } })
const token = object({ token: text, token_type_hint: text }, ['token_type_hint'])

/** Every operation, in the order of the documentation. */
export const operations: readonly Operation[] = [
  {
    id: 'createSession', method: 'POST', path: '/v1/sessions', summary: 'Creates a session.',
    body: {
      type: 'application/json',
      schema: object({
        userId, tenantId, jwtPayload: anyObject, sessionInfo: anyObject, ...client, antiCsrf, ...lifetimes,
        persistent: {
          type: 'boolean', description: 'Whether cookies with its tokens remain when the browser closes. Default: true.',
        },
        transferMode: {
          type: 'string', enum: ['header', 'cookie'],
          description: 'How its tokens are sent. An embedded application accepts them only that way. Default: header.',
        },
      }, [
        'tenantId', 'jwtPayload', 'sessionInfo', 'ip', 'userAgent', 'antiCsrf', 'persistent', 'transferMode',
        'accessTokenLifetime', 'idleTimeout', 'absoluteTimeout',
      ]),
    },
    responses: {
      201: { words: 'The session and its tokens.', schema: pair }, 400: invalid,
      401: { words: '`unauthorized`: all sessions of the user were revoked at the same time.', schema: error },
    },
  },
  {
    id: 'refreshSession', method: 'POST', path: '/v1/sessions/refresh',
    summary: 'Exchanges a refresh token for the next one. For twice the reuse interval after a response, the same '
      + 'request returns the same refresh token again, and the current refresh token is exchanged for itself.',
    body: {
      type: 'application/json',
      schema: object({
        refreshToken: text, ...client, antiCsrf,
        antiCsrfToken: {
          type: 'string', description: 'If given, it must belong to the session; otherwise the response is 401.',
        },
      }, ['ip', 'userAgent', 'antiCsrf', 'antiCsrfToken']),
    },
    responses: {
      200: { words: 'The next tokens.', schema: pair }, 400: invalid,
      401: {
        words: '`unauthorized`: log in again. `token_theft_detected`: two parties used a refresh token, and the '
          + 'session was revoked for both.',
        schema: object({
          error: { type: 'string', enum: ['unauthorized', 'token_theft_detected'] },
          message: text, handle: text, userId: text,
        }, ['handle', 'userId']),
      },
      503: {
        words: '`refresh_busy`: keep the tokens, and send the same refresh token again after `Retry-After` seconds.',
        schema: error,
      },
    },
  },
  {
    id: 'readSession', method: 'GET', path: '/v1/sessions/{handle}', summary: 'Returns an active session.',
    responses: { 200: { words: 'The session.', schema: session }, 404: gone },
  },
  {
    id: 'updateSession', method: 'PATCH', path: '/v1/sessions/{handle}',
    summary: 'Changes the JWT payload, or the session info, or both. If `accessToken` is a valid access token of the '
      + 'session, the response has a new one with the payload.',
    body: {
      type: 'application/json',
      schema: object({
        jwtPayload: anyObject,
        accessToken: text,
        sessionInfo: { type: 'object', description: 'Replaces the session info.' },
        mergeSessionInfo: { type: 'object', description: 'Is merged into the session info (RFC 7396).' },
        sessionInfoVersion: {
          type: 'integer', description: 'Changes the session info only if it still has this version.',
        },
      }, ['jwtPayload', 'accessToken', 'sessionInfo', 'mergeSessionInfo', 'sessionInfoVersion']),
    },
    responses: {
      200: { words: 'A new access token.', schema: object({ accessToken: text, accessTokenExpiresAt: instant }) },
      204: { words: 'Changed.', schema: null }, 400: invalid, 404: gone,
      409: { words: '`conflict`: the session info has another version. Nothing was changed.', schema: error },
    },
  },
  {
    id: 'reauthenticateSession', method: 'POST', path: '/v1/sessions/{handle}/reauthenticate',
    summary: 'Notes that the user has proved again who they are: the new access token has a new `auth_time`. Older '
      + 'refresh tokens of the session can no longer be used.',
    body: {
      type: 'application/json',
      schema: object({
        accessToken: { type: 'string', description: 'A valid access token of the session.' }, ...client, antiCsrf,
      }, ['ip', 'userAgent', 'antiCsrf']),
    },
    responses: {
      200: { words: 'The new tokens.', schema: pair }, 400: invalid, 404: gone,
      503: {
        words: '`refresh_busy`: another call has re-authenticated the session less than a reuse interval ago, and the '
          + 'access token is older. Send the same request again after `Retry-After` seconds.',
        schema: error,
      },
    },
  },
  {
    id: 'revokeSession', method: 'DELETE', path: '/v1/sessions/{handle}', summary: 'Revokes a session.',
    responses: { 204: { words: 'Revoked.', schema: null }, 404: gone },
  },
  {
    id: 'revokeSessions', method: 'POST', path: '/v1/sessions/revoke', summary: 'Revokes several sessions.',
    body: {
      type: 'application/json', schema: object({ handles: { type: 'array', items: text } }),
    },
    responses: {
      200: { words: 'The handles of the revoked sessions. Others did not exist.', schema: revoked }, 400: invalid,
    },
  },
  {
    id: 'listSessions', method: 'GET', path: '/v1/users/{userId}/sessions',
    summary: 'Lists a user\'s active sessions, newest first.',
    query: {
      limit: 'The most sessions of a page, from 1 to 1000. Default: 100. A page may have fewer.',
      after: 'The `next` of the page before.', ...ofTenant,
    },
    responses: {
      200: {
        words: 'A page. `next` is null on the last one.',
        schema: object({ sessions: { type: 'array', items: object(summary) }, next: { type: ['string', 'null'] } }),
      },
      400: invalid,
    },
  },
  {
    id: 'revokeSessionsOfUser', method: 'DELETE', path: '/v1/users/{userId}/sessions',
    summary: 'Revokes all sessions of a user, or all except one.',
    query: { except: 'The handle of the session to keep.', ...ofTenant },
    responses: {
      200: { words: 'The handles of the revoked sessions.', schema: revoked }, 400: invalid,
    },
  },
  {
    id: 'introspect', method: 'POST', path: '/v1/introspect',
    summary: 'Token introspection (RFC 7662) of access and refresh tokens. Checks the store. With `anti_csrf_token`, a '
      + 'token is active only if the anti-CSRF token belongs to its session.',
    body: {
      type: 'application/x-www-form-urlencoded',
      schema: object({ token: text, token_type_hint: text, anti_csrf_token: text }, ['token_type_hint', 'anti_csrf_token']),
    },
    responses: {
      200: {
        words: 'Whether the token is active now, and its claims.',
        schema: {
          type: 'object', required: ['active'], additionalProperties: false,
          properties: {
            active: { type: 'boolean' }, sub: text, sid: text, tid: text, iss: text, aud: text, iat: { type: 'integer' },
            exp: { type: 'integer' }, auth_time: { type: 'integer' }, payload: anyObject,
            token_type: { type: 'string', enum: ['access_token', 'refresh_token'] },
          },
        },
      },
      400: invalid,
    },
  },
  {
    id: 'revokeToken', method: 'POST', path: '/v1/revoke',
    summary: 'Token revocation (RFC 7009): revokes the session of an access or refresh token. Accepts any other text.',
    body: { type: 'application/x-www-form-urlencoded', schema: token },
    responses: { 200: { words: 'Revoked, or nothing to revoke.', schema: object({}) }, 400: invalid },
  },
  {
    id: 'readKeys', method: 'GET', path: '/v1/keys',
    summary: 'The public keys of the access tokens (RFC 7517), the same as under the issuer.',
    responses: {
      200: {
        words: 'A JSON Web Key Set.',
        schema: object({
          keys: { type: 'array', items: object(
            { kty: text, kid: text, alg: text, use: text, crv: text, x: text, y: text, n: text, e: text },
            ['crv', 'x', 'y', 'n', 'e'],
          ) },
        }),
      },
    },
  },
  {
    id: 'rotateKeys', method: 'POST', path: '/v1/keys/rotate',
    summary: 'Creates new keys, published now and used from an hour later. Static keys are not rotated.',
    responses: { 204: { words: 'Created.', schema: null } },
  },
  {
    id: 'followRevocations', method: 'GET', path: '/v1/revocations',
    summary: 'A stream of server-sent events: `revoked` {handles, until}, `payload` {handle, version, until}, '
      + '`keys` {until}. Begins with all events that can still concern a valid access token, or after Last-Event-ID. '
      + '`synced` follows the last past event. An event may come twice. The stream ends if more than 1 MiB waits for a '
      + 'slow client: connect again with the last id.',
    responses: {
      200: { words: 'The stream.', schema: null, type: 'text/event-stream' },
      503: {
        words: 'There are too many streams (10,000, or three quarters of the server\'s connections), or the server is '
          + 'stopping: try again after `Retry-After` seconds.',
        schema: error,
      },
    },
  },
  {
    id: 'readDescription', method: 'GET', path: '/v1/openapi.json', summary: 'This document.',
    responses: { 200: { words: 'An OpenAPI 3.1 document.', schema: anyObject } },
  },
]
