import { anyObject, anyText as text, instant, kept, keySet, userId as nativeUserId } from '../native/schemas.ts'
import type { Schema } from '../../base/json-schema.ts'
import { protectedClaims } from './token-format.ts'

/** The longest validity of a JWT, in seconds: with it, the expiration time still is a date in JavaScript. */
export const LONGEST_VALIDITY = 8_600_000_000_000

const flag: Schema = { type: 'boolean' }
const texts: Schema = { type: 'array', items: text }
const userId: Schema = {
  ...nativeUserId, minLength: 0, description: 'At most 255 characters of well-formed Unicode, without U+0000.',
}

/** The outcomes that `status` can name. */
const outcomes = [
  'OK', 'UNAUTHORISED', 'TRY_REFRESH_TOKEN', 'TOKEN_THEFT_DETECTED', 'UNKNOWN_USER_ID_ERROR',
  'UNSUPPORTED_ALGORITHM_ERROR', 'TENANT_NOT_FOUND_ERROR',
] as const
type Outcome = typeof outcomes[number]

/** A body whose members a version may add to. */
function body(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  return { type: 'object', properties, required: Object.keys(properties).filter(name => !optional.includes(name)) }
}

/** The body of a request. */
function request(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  return { ...body(properties, optional), ...kept }
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
  type: 'number', format: 'double', exclusiveMinimum: 0, maximum: 86_400_000,
  description: 'Milliseconds; at most as configured. From version 5.6 on.',
}
const ended = ['OK', 'UNAUTHORISED'] as const
/** The id of an application or a tenant, which becomes lower case. */
const id: Schema = { type: 'string', pattern: '^[A-Za-z0-9-]{1,64}$' }
const userDataInJWT: Schema = {
  type: 'object', additionalProperties: true, ...kept,
  propertyNames: { not: { enum: [...protectedClaims[5]] } }, description: 'Without claims of the protocol.',
}

/** Matches an object that has the member. */
const having = (name: string): Schema => ({ properties: { [name]: {} }, required: [name] })
const removalOfUser: Schema = {
  ...body(
    { userId, revokeAcrossAllTenants: flag, revokeSessionsForLinkedAccounts: flag },
    ['revokeAcrossAllTenants', 'revokeSessionsForLinkedAccounts'],
  ),
  not: having('sessionHandles'), ...kept,
}
const removalOfSessions: Schema = { ...body({ sessionHandles: texts }), not: having('userId'), ...kept }

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
  newJwt: request({
    algorithm: text, jwksDomain: text, payload: anyObject, useStaticSigningKey: flag,
    validity: { type: 'number', format: 'double', minimum: 1, maximum: LONGEST_VALIDITY, description: 'Seconds.' },
  }, ['useStaticSigningKey']),
  jwt: outcome(['OK', 'UNSUPPORTED_ALGORITHM_ERROR'], { jwt: text }),
  unknownUser: outcome(['UNKNOWN_USER_ID_ERROR']),
  newSession: request({
    userId, userDataInJWT, userDataInDatabase: anyObject, enableAntiCsrf: flag, useDynamicSigningKey: flag,
    accessTokenValidity: lifetime,
  }, ['useDynamicSigningKey', 'accessTokenValidity']),
  pair: outcome(['OK'], tokens),
  information: outcome(ended, {
    sessionHandle: text, userId: text, recipeUserId: text, userDataInDatabase: anyObject, userDataInJWT: anyObject,
    expiry: instant, timeCreated: instant, tenantId: text,
  }),
  verification: request({
    accessToken: text, doAntiCsrfCheck: flag, enableAntiCsrf: flag, checkDatabase: flag, antiCsrfToken: text,
  }, ['antiCsrfToken']),
  verified: outcome(['OK', 'UNAUTHORISED', 'TRY_REFRESH_TOKEN'], {
    session, accessToken: token, payloadUpdateAvailable: flag,
  }),
  refresh: request({
    refreshToken: text, antiCsrfToken: text, enableAntiCsrf: flag, useDynamicSigningKey: flag,
    accessTokenValidity: lifetime,
  }, ['antiCsrfToken', 'accessTokenValidity']),
  refreshed: outcome(['OK', 'UNAUTHORISED', 'TOKEN_THEFT_DETECTED'], {
    ...tokens,
    recentTokenReuseSubtype: { type: 'string', enum: ['RECENT_PREV', 'ORPHANED_BRANCH', 'STALE_LINEAGE'] },
  }),
  // Which names are refused depends on the version of the access token.
  regeneration: request({ accessToken: text, userDataInJWT: anyObject }, ['userDataInJWT']),
  removal: {
    type: 'object', oneOf: [removalOfUser, removalOfSessions],
    dependentRequired: { revokeAcrossAllTenants: ['userId'], revokeSessionsForLinkedAccounts: ['userId'] },
    description: 'Exactly one of `userId` and `sessionHandles`; the flags only with `userId`.',
  },
  removed: outcome(['OK'], { sessionHandlesRevoked: texts }),
  handles: outcome(['OK'], { sessionHandles: texts }),
  newData: request({ sessionHandle: text, userDataInDatabase: anyObject }),
  newPayload: request({ sessionHandle: text, userDataInJWT }),
  data: outcome(ended, { userDataInDatabase: anyObject }),
  payload: outcome(ended, { userDataInJWT: anyObject }),
  done: outcome(ended),
  newApp: request({ appId: id, coreConfig: anyObject }, ['coreConfig']),
  oldApp: request({ appId: text }),
  created: outcome(['OK'], { createdNew: flag }),
  existed: outcome(['OK'], { didExist: flag }),
  newTenant: request({ tenantId: id }),
  tenant: outcome(['OK', 'TENANT_NOT_FOUND_ERROR'], { tenantId: text, thirdParty: anyObject, coreConfig: anyObject }),
}

/** The schemas that the document names, so that generated clients have good names. */
export const cdiComponents: Readonly<Record<string, Schema>> = {
  Session: session, Token: token, KeySet: keySet, JsonObject: anyObject, UserDataInJWT: userDataInJWT,
  RemovalOfUser: removalOfUser, RemovalOfSessions: removalOfSessions,
  ...Object.fromEntries(Object.entries(schemas)
    .filter(([name]) => !['text', 'userId', 'keySet'].includes(name))
    .map(([name, schema]) => [`${name.slice(0, 1).toUpperCase()}${name.slice(1)}`, schema])),
}
