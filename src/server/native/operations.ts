import { TENANT_ID } from '../../session/identifiers.ts'
import type { Schema } from './schema.ts'

/** An operation of the native API, as it is documented and as it is judged. */
export interface Operation {
  readonly id: OperationId
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** With parameters in braces. */
  readonly path: string
  readonly summary: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: { readonly type: 'application/json' | 'application/x-www-form-urlencoded'; readonly schema: Schema }
  /** By status; null: no body. */
  readonly responses: Readonly<Record<number, OperationResponse>>
}

/** An answer as it is documented; its type is JSON unless it says otherwise. */
export interface OperationResponse {
  readonly words: string
  readonly schema: Schema | null
  readonly type?: string
}

/** The names of the operations. */
export type OperationId =
  | 'createSession' | 'refreshSession' | 'readSession' | 'updateSession' | 'revokeSession' | 'revokeSessions'
  | 'listSessions' | 'revokeSessionsOfUser'
  | 'introspect' | 'revokeToken' | 'readKeys' | 'rotateKeys' | 'followRevocations' | 'readDescription'

const text: Schema = { type: 'string' }
const instant: Schema = { type: 'integer', description: 'Milliseconds since 1970.' }
const anyObject: Schema = { type: 'object' }
/** Where a user's request came from. */
const client = {
  ip: { type: 'string', description: 'The address of the user\'s client; 64 characters of it are kept.' },
  userAgent: { type: 'string', description: 'The client\'s User-Agent; 512 characters of it are kept.' },
} as const

function object(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  return {
    type: 'object', properties, additionalProperties: false,
    required: Object.keys(properties).filter(name => !optional.includes(name)),
  }
}

/** What else it must be is judged with the words that every interface has for it. */
const userId: Schema = { type: 'string', description: '1 to 255 UTF-16 code units, well-formed, without U+0000.' }
const tenantId: Schema = { type: 'string', pattern: TENANT_ID.source }
const error = object({ error: { type: 'string', description: 'A stable code.' }, message: text })
const summary = {
  handle: text, userId: text, tenantId: text, createdAt: instant, expiresAt: instant,
  ip: { type: ['string', 'null'] }, userAgent: { type: ['string', 'null'] },
} as const
const version: Schema = { type: 'integer', description: 'Counts the changes of sessionInfo.' }
const session = object({ ...summary, jwtPayload: anyObject, sessionInfo: anyObject, sessionInfoVersion: version })
const pair = object({
  handle: text, userId: text, tenantId: text,
  accessToken: text, accessTokenExpiresAt: instant, refreshToken: text, sessionExpiresAt: instant, antiCsrfToken: text,
}, ['antiCsrfToken'])
const antiCsrf: Schema = { type: 'boolean', description: 'Whether the answer has an anti-CSRF token of the session.' }
const seconds = (maximum: number): Schema => ({
  type: 'integer', minimum: 1, maximum, description: 'Seconds; at most as configured. Default: as configured.',
})
const lifetimes = {
  accessTokenLifetime: seconds(86_400), idleTimeout: seconds(34_560_000), absoluteTimeout: seconds(3_153_600_000),
} as const
const invalid = { words: 'The request does not fit.', schema: error }
const gone = { words: 'There is no such session.', schema: error }
const revoked = object({ revoked: { type: 'array', items: text } })
const token = object({ token: text, token_type_hint: text }, ['token_type_hint'])

/** Every operation, in the order of the documentation. */
export const operations: readonly Operation[] = [
  {
    id: 'createSession', method: 'POST', path: '/v1/sessions', summary: 'Starts a session.',
    body: {
      type: 'application/json',
      schema: object({
        userId, tenantId, jwtPayload: anyObject, sessionInfo: anyObject, ...client, antiCsrf, ...lifetimes,
        persistent: { type: 'boolean', description: 'Whether cookies with its tokens outlive the browser. Default: true.' },
        transferMode: {
          type: 'string', enum: ['header', 'cookie'],
          description: 'Where its tokens travel; an embedded application accepts them only there. Default: header.',
        },
      }, [
        'tenantId', 'jwtPayload', 'sessionInfo', 'ip', 'userAgent', 'antiCsrf', 'persistent', 'transferMode',
        'accessTokenLifetime', 'idleTimeout', 'absoluteTimeout',
      ]),
    },
    responses: {
      201: { words: 'The session and its tokens.', schema: pair }, 400: invalid,
      401: { words: '`unauthorized`: all sessions of the user were revoked meanwhile.', schema: error },
    },
  },
  {
    id: 'refreshSession', method: 'POST', path: '/v1/sessions/refresh',
    summary: 'Exchanges a refresh token for the next one. Until twice the reuse interval after an answer, a repetition '
      + 'gives the same refresh token, and the current refresh token gives itself.',
    body: {
      type: 'application/json',
      schema: object({
        refreshToken: text, ...client, antiCsrf,
        antiCsrfToken: { type: 'string', description: 'If it comes, it must be one of the session, or the answer is 401.' },
      }, ['ip', 'userAgent', 'antiCsrf', 'antiCsrfToken']),
    },
    responses: {
      200: { words: 'The next tokens.', schema: pair }, 400: invalid,
      401: {
        words: '`unauthorized`: log in again. `token_theft_detected`: the session was ended for everybody.',
        schema: object({
          error: { type: 'string', enum: ['unauthorized', 'token_theft_detected'] },
          message: text, handle: text, userId: text,
        }, ['handle', 'userId']),
      },
      503: {
        words: '`refresh_busy`: keep the tokens, and present the same refresh token again after `Retry-After` seconds.',
        schema: error,
      },
    },
  },
  {
    id: 'readSession', method: 'GET', path: '/v1/sessions/{handle}', summary: 'Tells of a live session.',
    responses: { 200: { words: 'The session.', schema: session }, 404: gone },
  },
  {
    id: 'updateSession', method: 'PATCH', path: '/v1/sessions/{handle}',
    summary: 'Changes the payload of the access tokens, or the session info, or both. With `accessToken`, a valid access '
      + 'token of the session, answers with another one that has the payload.',
    body: {
      type: 'application/json',
      schema: object({
        jwtPayload: anyObject,
        accessToken: text,
        sessionInfo: { type: 'object', description: 'Replaces the session info.' },
        mergeSessionInfo: { type: 'object', description: 'Is merged into the session info (RFC 7396).' },
        sessionInfoVersion: { type: 'integer', description: 'Only if the session info still has this version.' },
      }, ['jwtPayload', 'accessToken', 'sessionInfo', 'mergeSessionInfo', 'sessionInfoVersion']),
    },
    responses: {
      200: { words: 'Done.', schema: object({ accessToken: text, accessTokenExpiresAt: instant }) },
      204: { words: 'Done.', schema: null }, 400: invalid, 404: gone,
      409: { words: '`conflict`: the session info has another version. Nothing was changed.', schema: error },
    },
  },
  {
    id: 'revokeSession', method: 'DELETE', path: '/v1/sessions/{handle}', summary: 'Ends a session.',
    responses: { 204: { words: 'Done.', schema: null }, 404: gone },
  },
  {
    id: 'revokeSessions', method: 'POST', path: '/v1/sessions/revoke', summary: 'Ends several sessions.',
    body: {
      type: 'application/json', schema: object({ handles: { type: 'array', items: text } }),
    },
    responses: { 200: { words: 'The handles of those that there were.', schema: revoked }, 400: invalid },
  },
  {
    id: 'listSessions', method: 'GET', path: '/v1/users/{userId}/sessions',
    summary: 'Lists a user\'s live sessions, newest first.',
    query: { limit: 'At most this many, 1 to 1000. Default 100.', after: 'Where the page before ended.' },
    responses: {
      200: {
        words: 'A page.',
        schema: object({ sessions: { type: 'array', items: object(summary) }, next: { type: ['string', 'null'] } }),
      },
      400: invalid,
    },
  },
  {
    id: 'revokeSessionsOfUser', method: 'DELETE', path: '/v1/users/{userId}/sessions',
    summary: 'Ends every session of a user, but one if it is named.',
    query: { except: 'The handle of the session that stays.' },
    responses: {
      200: { words: 'What was ended.', schema: revoked }, 400: invalid,
    },
  },
  {
    id: 'introspect', method: 'POST', path: '/v1/introspect',
    summary: 'Token introspection (RFC 7662), of access and refresh tokens. Asks the store. With `anti_csrf_token`, a '
      + 'token is only active if that is one of its session.',
    body: {
      type: 'application/x-www-form-urlencoded',
      schema: object({ token: text, token_type_hint: text, anti_csrf_token: text }, ['token_type_hint', 'anti_csrf_token']),
    },
    responses: {
      200: {
        words: 'What the token is good for now.',
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
    summary: 'Token revocation (RFC 7009): ends the session of an access or refresh token. Other texts are no error.',
    body: { type: 'application/x-www-form-urlencoded', schema: token },
    responses: { 200: { words: 'Done.', schema: object({}) }, 400: invalid },
  },
  {
    id: 'readKeys', method: 'GET', path: '/v1/keys',
    summary: 'The public keys of the access tokens (RFC 7517), as under the issuer.',
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
    summary: 'Makes new keys, published now and used in an hour. Static keys stay.',
    responses: { 204: { words: 'Done.', schema: null } },
  },
  {
    id: 'followRevocations', method: 'GET', path: '/v1/revocations',
    summary: 'A stream of server-sent events: `revoked` {handles, until}, `payload` {handle, version, until}, '
      + '`keys` {until}. '
      + 'Begins with everything that a live access token can concern, or after Last-Event-ID. `synced` says that '
      + 'the past is told.',
    responses: {
      200: { words: 'The stream.', schema: null, type: 'text/event-stream' },
      503: { words: 'Too many streams.', schema: error },
    },
  },
  {
    id: 'readDescription', method: 'GET', path: '/v1/openapi.json', summary: 'This document.',
    responses: { 200: { words: 'An OpenAPI 3.1 document.', schema: anyObject } },
  },
]
