import { openApiDocument } from '../openapi.ts'
import type { DocumentedOperation, DocumentedParameter, DocumentedResponse, DocumentedServer } from '../openapi.ts'
import type { Schema } from '../../base/json-schema.ts'
import { protocolVersions } from './protocol.ts'
import { cdiComponents, schemas } from './schemas.ts'

/** One method of a path of CDI. */
interface CdiDescription extends Pick<DocumentedOperation, 'id' | 'summary' | 'isPublic'> {
  readonly tag: keyof typeof tags
  readonly query?: Readonly<Record<string, Schema>>
  /** The parameters of the query that must be given. */
  readonly required?: readonly string[]
  readonly body?: Schema
  readonly success: Schema
}

/** The groups of operations, and what they are about. */
const tags = {
  Sessions: 'Logins: created, verified, refreshed, read, changed and revoked.',
  Keys: 'The public keys, and JWTs that the server signs.',
  Tenancy: 'Applications, tenants and users, as far as sessions need them.',
  Protocol: 'The versions that are served.',
} as const

const handle = { sessionHandle: schemas.text }
const queryFlag: Schema = {
  type: 'string', description: 'Set if it is `true`, in upper or lower case; any other text means that it is not.',
}
const ofUser: Readonly<Record<string, Schema>> = {
  userId: schemas.userId, fetchAcrossAllTenants: queryFlag, fetchSessionsForAllLinkedAccounts: queryFlag,
}

/** Every path of CDI that is served, and its methods. */
export const cdiDescriptions: Readonly<Record<string, Readonly<Record<string, CdiDescription>>>> = {
  '/apiversion': {
    GET: {
      id: 'getVersions', tag: 'Protocol', summary: 'The versions of CDI that are served.',
      success: schemas.versions,
    },
  },
  '/.well-known/jwks.json': {
    GET: {
      id: 'getJwks', tag: 'Keys', summary: 'The public keys of CDI access tokens.',
      success: schemas.keySet, isPublic: true,
    },
  },
  '/jwt/jwks.json': {
    GET: {
      id: 'getNativeJwks', tag: 'Keys', summary: 'The public keys of access tokens of the native API.',
      success: schemas.keySet, isPublic: true,
    },
  },
  '/recipe/jwt/jwks': {
    GET: {
      id: 'getJwksWithStatus', tag: 'Keys', summary: 'The public keys, in the older form.',
      success: schemas.keySetWithStatus,
    },
  },
  '/recipe/jwt': {
    POST: { id: 'createJwt', tag: 'Keys', summary: 'Signs a JWT.', body: schemas.newJwt, success: schemas.jwt },
  },
  '/user/id': {
    GET: {
      id: 'getUser', tag: 'Tenancy', summary: 'A user. The server knows none.', query: { userId: schemas.userId },
      required: ['userId'], success: schemas.unknownUser,
    },
  },
  '/recipe/session': {
    POST: {
      id: 'createSession', tag: 'Sessions', summary: 'Creates a session.',
      body: schemas.newSession, success: schemas.pair,
    },
    GET: {
      id: 'getSession', tag: 'Sessions', summary: 'Returns a session.', query: handle, required: ['sessionHandle'],
      success: schemas.information,
    },
  },
  '/recipe/session/verify': {
    POST: {
      id: 'verifySession', tag: 'Sessions', summary: 'Verifies an access token.',
      body: schemas.verification, success: schemas.verified,
    },
  },
  '/recipe/session/refresh': {
    POST: {
      id: 'refreshSession', tag: 'Sessions', summary: 'Exchanges a refresh token for the next one.',
      body: schemas.refresh,
      success: schemas.refreshed,
    },
  },
  '/recipe/session/regenerate': {
    POST: {
      id: 'regenerateAccessToken', tag: 'Sessions', summary: 'Changes the payload, and returns a new access token.',
      body: schemas.regeneration, success: schemas.verified,
    },
  },
  '/recipe/session/remove': {
    POST: {
      id: 'removeSessions', tag: 'Sessions', summary: 'Revokes sessions.',
      body: schemas.removal, success: schemas.removed,
    },
  },
  '/recipe/session/user': {
    GET: {
      id: 'getSessionsOfUser', tag: 'Sessions', summary: 'The handles of a user\'s sessions.',
      query: ofUser, required: ['userId'],
      success: schemas.handles,
    },
  },
  '/recipe/session/data': {
    PUT: {
      id: 'setSessionData', tag: 'Sessions', summary: 'Replaces the session data.',
      body: schemas.newData, success: schemas.done,
    },
    GET: {
      id: 'getSessionData', tag: 'Sessions', summary: 'Returns the session data.',
      query: handle, required: ['sessionHandle'],
      success: schemas.data,
    },
  },
  '/recipe/jwt/data': {
    PUT: {
      id: 'setPayload', tag: 'Sessions', summary: 'Replaces the payload.',
      body: schemas.newPayload, success: schemas.done,
    },
    GET: {
      id: 'getPayload', tag: 'Sessions', summary: 'Returns the payload.', query: handle, required: ['sessionHandle'],
      success: schemas.payload,
    },
  },
  '/recipe/multitenancy/app/v2': {
    PUT: {
      id: 'createApp', tag: 'Tenancy', summary: 'Creates an application, on a server for tests.',
      body: schemas.newApp, success: schemas.created,
    },
  },
  '/recipe/multitenancy/app': {
    PUT: {
      id: 'createAppV1', tag: 'Tenancy', summary: 'The same, in the older form.',
      body: schemas.newApp, success: schemas.created,
    },
  },
  '/recipe/multitenancy/app/remove': {
    POST: {
      id: 'removeApp', tag: 'Tenancy', summary: 'Removes such an application.',
      body: schemas.oldApp, success: schemas.existed,
    },
  },
  '/recipe/multitenancy/tenant/v2': {
    PUT: {
      id: 'createTenant', tag: 'Tenancy', summary: 'Says that a tenant is served.',
      body: schemas.newTenant, success: schemas.created,
    },
    GET: {
      id: 'getTenant', tag: 'Tenancy', summary: 'The configuration of a tenant, which is empty.',
      success: schemas.tenant,
    },
  },
}

const version: DocumentedParameter = {
  name: 'cdi-version', in: 'header',
  schema: {
    type: 'string', enum: protocolVersions, default: protocolVersions.at(-1) ?? '',
    description: 'The version of CDI that the request is in. Default: the newest.',
  },
}

/** The OpenAPI 3.1 document of CDI, without the prefixes that name an application or a tenant. */
export function describeCdi(server: DocumentedServer): object {
  return openApiDocument({
    title: 'Keyturn, core driver interface', version: protocolVersions.at(-1) ?? '',
    description: 'The protocol between the SDKs of SuperTokens and a session core. Every path may also begin with '
      + '`/appid-APP`, and from version 3.0 on with the id of a tenant. '
      + 'The bodies are those of the newest version.',
    server, tags, components: cdiComponents, operations: Object.entries(cdiDescriptions).flatMap(([path, methods]) => (
      Object.entries(methods).map(([method, description]) => document(path, method, description))
    )),
  })
}

function document(
  path: string,
  method: string,
  { query = {}, required = [], body, success, isPublic = false, ...rest }: CdiDescription,
): DocumentedOperation {
  const refuse = (words: string, hasRetryAfter = false): DocumentedResponse => (
    { words, schema: schemas.text, type: 'text/html', hasRetryAfter }
  )
  return {
    path, method, isPublic, ...rest,
    parameters: [
      ...Object.entries(query).map(([name, schema]) => (
        { name, in: 'query', required: required.includes(name), schema } as const
      )),
      ...isPublic || path === '/apiversion' ? [] : [version],
    ],
    body: body === undefined ? undefined : { type: 'application/json', schema: body },
    responses: {
      200: {
        words: 'The outcome. `status` names it; `UNAUTHORISED` is an outcome too.', schema: success,
        type: 'application/json',
      },
      400: refuse('The request is malformed, or the version, the application or the tenant is not served.'),
      ...isPublic ? {} : { 401: refuse('The request has no valid API key.') },
      403: refuse('The path is for another tenant or application, or the settings of the server do not allow it.'),
      ...body === undefined ? {} : { 413: refuse('The body is too long.') },
      500: refuse('The request failed. The log of the server has the reason.'),
      503: refuse('The store does not answer; or, for a refresh, an earlier response may still be on the way.', true),
    },
  }
}
