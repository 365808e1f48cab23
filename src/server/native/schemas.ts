import { HANDLE } from '../../base/handle.ts'
import { TENANT_ID } from '../../session/identifiers.ts'
import { reservedClaims } from '../../tokens/access-claims.ts'
import { keyPurposes } from '../../tokens/key-store.ts'
import { errorCodeNames } from './error-codes.ts'
import type { Schema } from '../../base/json-schema.ts'

/** Any text. */
export const anyText: Schema = { type: 'string' }
/** A point in time. */
export const instant: Schema = { type: 'integer', format: 'int64', description: 'Milliseconds since 1970.' }
const epochSeconds: Schema = { type: 'integer', format: 'int64', description: 'Seconds since 1970.' }

const keptJson: Schema = { $ref: '#/components/schemas/JsonObject/then' }
/**
 * JSON that JavaScript keeps unchanged, at any depth: `read-body.ts` refuses all other. Generated clients ignore
 * conditions, so that their types stay simple.
 */
// oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema: nothing awaits it
export const kept: Pick<Schema, 'if' | 'then'> = { if: {}, then: keptJson }
/** A JSON object of any content. Without `additionalProperties`, generated clients type it as an empty one. */
export const anyObject: Schema = {
  type: 'object', additionalProperties: true, if: {},
  // oxlint-disable-next-line unicorn/no-thenable -- as above
  then: {
    propertyNames: { not: { enum: ['__proto__'] } }, additionalProperties: keptJson, items: keptJson,
    minimum: -Number.MAX_VALUE, maximum: Number.MAX_VALUE,
  },
}
/** A JWT payload of the native API. `tokens/access-claims.ts` checks the names. */
export const jwtPayload: Schema = {
  type: 'object', additionalProperties: true, ...kept, propertyNames: { not: { enum: [...reservedClaims] } },
  description: 'At most 2,000 bytes, without reserved claims.',
}

/** An object with these members and no others; those of `optional` may be missing. */
export function object(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  return {
    type: 'object', properties, additionalProperties: false,
    required: Object.keys(properties).filter(name => !optional.includes(name)),
  }
}

/** The client of the user. */
export const client = {
  ip: { type: 'string', description: 'The address of the user\'s client; only the first 64 characters are stored.' },
  userAgent: { type: 'string', description: 'The client\'s User-Agent; only the first 512 characters are stored.' },
} as const

/** The schema checks only the type. The rest is checked where all interfaces check user ids, with the same messages. */
export const userId: Schema = {
  type: 'string', minLength: 1, maxLength: 255, pattern: '^[^\\u0000]*$',
  description: '1 to 255 characters of well-formed Unicode, without U+0000.',
}
/** The id of a tenant. */
export const tenantId: Schema = {
  type: 'string', pattern: TENANT_ID.source, expected: '1 to 64 lower-case letters, digits and hyphens',
}
/** The handle of a session. */
export const handle: Schema = { type: 'string', pattern: HANDLE.source, expected: 'the handle of a session' }
/** The member that selects one tenant of a user. */
export const ofTenant: Readonly<Record<'tenantId', Schema>> = {
  tenantId: { ...tenantId, description: 'The tenant whose sessions are meant. Default: all tenants.' },
}

/** Whether a response has an anti-CSRF token. */
export const antiCsrfFlag: Schema = {
  type: 'boolean', default: false, description: 'Whether the response has an anti-CSRF token of the session.',
}
const seconds = (maximum: number): Schema => ({
  type: 'integer', format: 'int64', minimum: 1, maximum,
  description: 'Seconds; at most as configured. Default: as configured.',
})
/** The lifetimes that a login may choose. */
export const lifetimes: Readonly<Record<'accessTokenLifetime' | 'idleTimeout' | 'absoluteTimeout', Schema>> = {
  accessTokenLifetime: seconds(86_400), idleTimeout: seconds(34_560_000), absoluteTimeout: seconds(3_153_600_000),
}

const errorCode: Schema = { type: 'string', enum: errorCodeNames, description: 'A stable code.' }
/** The body of an error. */
export const errorBody: Schema = object({ error: errorCode, message: anyText })
/** The body of the 401 of a refresh. */
export const refreshRefusal: Schema = object({
  error: { type: 'string', enum: ['unauthorized', 'token_theft_detected', 'invalid_api_key'] },
  message: anyText, handle: anyText, userId: anyText,
}, ['handle', 'userId'])

const summary = object({
  handle: anyText, userId: anyText, tenantId: anyText, createdAt: instant, expiresAt: instant,
  ip: { type: ['string', 'null'] }, userAgent: { type: ['string', 'null'] },
})
/** The version of session info. */
export const infoVersion: Schema = {
  type: 'integer', format: 'int64', minimum: 0, maximum: Number.MAX_SAFE_INTEGER,
  description: 'The number of changes of sessionInfo.',
}
/** An active session. */
export const session: Schema = object({
  ...summary.properties, jwtPayload: anyObject, sessionInfo: anyObject, sessionInfoVersion: infoVersion,
})
/** A page of sessions. */
export const sessionPage: Schema = object({
  sessions: { type: 'array', items: summary }, next: { type: ['string', 'null'] },
})
/** An access token and a refresh token. */
export const pair: Schema = object({
  handle: anyText, userId: anyText, tenantId: anyText,
  accessToken: anyText, accessTokenExpiresAt: instant, refreshToken: anyText, sessionExpiresAt: instant,
  antiCsrfToken: anyText,
}, ['antiCsrfToken'])
/** An access token alone. */
export const accessTokenOnly: Schema = object({ accessToken: anyText, accessTokenExpiresAt: instant })
/** The handles of revoked sessions. */
export const revoked: Schema = object({ revoked: { type: 'array', items: anyText } })
/** The form of RFC 7009. */
export const token: Schema = object({ token: anyText, token_type_hint: anyText }, ['token_type_hint'])
/** The answer of RFC 7662. */
export const tokenState: Schema = {
  type: 'object', required: ['active'], additionalProperties: false,
  properties: {
    active: { type: 'boolean' }, sub: anyText, sid: anyText, tid: anyText, iss: anyText, aud: anyText,
    iat: epochSeconds, exp: epochSeconds, auth_time: epochSeconds, payload: anyObject,
    token_type: { type: 'string', enum: ['access_token', 'refresh_token'] },
  },
}
/** A JSON Web Key Set (RFC 7517). */
export const keySet: Schema = object({
  keys: {
    type: 'array',
    items: object(
      {
        kty: anyText, kid: anyText, alg: anyText, use: anyText,
        crv: anyText, x: anyText, y: anyText, n: anyText, e: anyText,
      },
      ['crv', 'x', 'y', 'n', 'e'],
    ),
  },
})
/** The purpose of a key. */
export const keyPurpose: Schema = { type: 'string', enum: keyPurposes }
/** The keys that a rotation has published. */
export const nextKeys: Schema = object({
  keys: {
    type: 'array',
    items: object({ kid: anyText, purpose: keyPurpose, algorithm: anyText, activeFrom: instant }),
  },
})

/** The schemas that the document names, so that generated clients have good names. */
export const components: Readonly<Record<string, Schema>> = {
  Error: errorBody, ErrorCode: errorCode, RefreshError: refreshRefusal, Session: session, SessionSummary: summary,
  SessionPage: sessionPage, TokenPair: pair, AccessToken: accessTokenOnly, RevokedSessions: revoked,
  TokenState: tokenState, KeySet: keySet, NextKeys: nextKeys, KeyPurpose: keyPurpose,
  JsonObject: anyObject, JwtPayload: jwtPayload,
}
