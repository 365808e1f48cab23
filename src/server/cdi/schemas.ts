import { TENANT_ID } from '../../session/identifiers.ts'
import { APP_ID } from '../app-id.ts'
import { anyObject, keySet } from '../native/schemas.ts'
import type { Schema } from '../native/schema.ts'

/** The longest validity of a JWT, in seconds: with it, the expiration time still is a date in JavaScript. */
export const LONGEST_VALIDITY = 8_600_000_000_000

const text: Schema = { type: 'string' }
const flag: Schema = { type: 'boolean' }
const instant: Schema = { type: 'integer', description: 'Milliseconds since 1970.' }
const texts: Schema = { type: 'array', items: text }
const userId: Schema = {
  type: 'string', maxLength: 255, description: 'At most 255 UTF-16 code units, well-formed, without U+0000.',
}

/** The outcomes that `status` can name. */
const outcomes = [
  'OK', 'UNAUTHORISED', 'TRY_REFRESH_TOKEN', 'TOKEN_THEFT_DETECTED', 'UNKNOWN_USER_ID_ERROR',
  'UNSUPPORTED_ALGORITHM_ERROR',
] as const
type Outcome = typeof outcomes[number]

/** A body whose members a version may add to. */
function body(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  return { type: 'object', properties, required: Object.keys(properties).filter(name => !optional.includes(name)) }
}

/** A response: `status`, and members that depend on it. */
function outcome(statuses: readonly Outcome[], properties: Readonly<Record<string, Schema>> = {}): Schema {
  return {
    type: 'object', required: ['status'],
    properties: { status: { type: 'string', enum: statuses }, message: text, ...properties },
  }
}

const token = body({ token: text, expiry: instant, createdTime: instant })
const session = body({
  handle: text, userId: text, recipeUserId: text, userDataInJWT: anyObject, tenantId: text,
}, ['recipeUserId', 'userDataInJWT', 'tenantId'])
const tokens = { session, accessToken: token, refreshToken: token, antiCsrfToken: text }
const lifetime: Schema = {
  type: 'number', exclusiveMinimum: 0, maximum: 86_400_000,
  description: 'Milliseconds; at most as configured. From version 5.6 on.',
}
const ended = ['OK', 'UNAUTHORISED'] as const

/** Matches an object that has the member. */
const having = (name: string): Schema => ({ properties: { [name]: {} }, required: [name] })
const removalOfUser: Schema = {
  ...body(
    { userId, revokeAcrossAllTenants: flag, revokeSessionsForLinkedAccounts: flag },
    ['revokeAcrossAllTenants', 'revokeSessionsForLinkedAccounts'],
  ),
  not: having('sessionHandles'),
}
const removalOfSessions: Schema = { ...body({ sessionHandles: texts }), not: having('userId') }

/** The names of the schemas. */
type SchemaName =
  | 'text' | 'userId' | 'keySet' | 'versions' | 'keySetWithStatus' | 'newJwt' | 'jwt' | 'unknownUser'
  | 'newSession' | 'pair' | 'information' | 'verification' | 'verified' | 'refresh' | 'refreshed' | 'regeneration'
  | 'removal' | 'removed' | 'handles' | 'newData' | 'newPayload' | 'data' | 'payload' | 'done'
  | 'newApp' | 'oldApp' | 'created' | 'existed' | 'newTenant' | 'tenant'

/** The bodies of requests and responses. */
export const schemas: Readonly<Record<SchemaName, Schema>> = {
  text, userId, keySet,
  versions: body({ versions: texts }),
  keySetWithStatus: body({ status: text, keys: { type: 'array', items: anyObject } }),
  newJwt: body({
    algorithm: text, jwksDomain: text, payload: anyObject, useStaticSigningKey: flag,
    validity: { type: 'number', minimum: 1, maximum: LONGEST_VALIDITY, description: 'Seconds.' },
  }, ['useStaticSigningKey']),
  jwt: outcome(['OK', 'UNSUPPORTED_ALGORITHM_ERROR'], { jwt: text }),
  unknownUser: outcome(['UNKNOWN_USER_ID_ERROR']),
  newSession: body({
    userId, userDataInJWT: anyObject, userDataInDatabase: anyObject, enableAntiCsrf: flag, useDynamicSigningKey: flag,
    accessTokenValidity: lifetime,
  }, ['useDynamicSigningKey', 'accessTokenValidity']),
  pair: outcome(['OK'], tokens),
  information: outcome(ended, {
    sessionHandle: text, userId: text, recipeUserId: text, userDataInDatabase: anyObject, userDataInJWT: anyObject,
    expiry: instant, timeCreated: instant, tenantId: text,
  }),
  verification: body({
    accessToken: text, doAntiCsrfCheck: flag, enableAntiCsrf: flag, checkDatabase: flag, antiCsrfToken: text,
  }, ['antiCsrfToken']),
  verified: outcome(['OK', 'UNAUTHORISED', 'TRY_REFRESH_TOKEN'], {
    session, accessToken: token, payloadUpdateAvailable: flag,
  }),
  refresh: body({
    refreshToken: text, antiCsrfToken: text, enableAntiCsrf: flag, useDynamicSigningKey: flag,
    accessTokenValidity: lifetime,
  }, ['antiCsrfToken', 'accessTokenValidity']),
  refreshed: outcome(['OK', 'UNAUTHORISED', 'TOKEN_THEFT_DETECTED'], {
    ...tokens,
    recentTokenReuseSubtype: { type: 'string', enum: ['RECENT_PREV', 'ORPHANED_BRANCH', 'STALE_LINEAGE'] },
  }),
  regeneration: body({ accessToken: text, userDataInJWT: anyObject }, ['userDataInJWT']),
  removal: {
    type: 'object', oneOf: [removalOfUser, removalOfSessions],
    dependentRequired: { revokeAcrossAllTenants: ['userId'], revokeSessionsForLinkedAccounts: ['userId'] },
    description: 'Exactly one of `userId` and `sessionHandles`; the flags only with `userId`.',
  },
  removed: outcome(['OK'], { sessionHandlesRevoked: texts }),
  handles: outcome(['OK'], { sessionHandles: texts }),
  newData: body({ sessionHandle: text, userDataInDatabase: anyObject }),
  newPayload: body({ sessionHandle: text, userDataInJWT: anyObject }),
  data: outcome(ended, { userDataInDatabase: anyObject }),
  payload: outcome(ended, { userDataInJWT: anyObject }),
  done: outcome(ended),
  newApp: body({ appId: { type: 'string', pattern: APP_ID.source }, coreConfig: anyObject }, ['coreConfig']),
  oldApp: body({ appId: text }),
  created: outcome(['OK'], { createdNew: flag }),
  existed: outcome(['OK'], { didExist: flag }),
  newTenant: body({ tenantId: { type: 'string', pattern: TENANT_ID.source } }),
  tenant: outcome(['OK'], { tenantId: text, thirdParty: anyObject, coreConfig: anyObject }),
}

/** The schemas that the document names, so that generated clients have good names. */
export const cdiComponents: Readonly<Record<string, Schema>> = {
  Session: session, Token: token, KeySet: keySet, RemovalOfUser: removalOfUser, RemovalOfSessions: removalOfSessions,
  ...Object.fromEntries(Object.entries(schemas)
    .filter(([name]) => !['text', 'userId', 'keySet'].includes(name))
    .map(([name, schema]) => [`${name.slice(0, 1).toUpperCase()}${name.slice(1)}`, schema])),
}
