import { R } from '../lose-answers.ts'
import { always } from './call.ts'
import type { CdiCall, CdiSession, Field, Fields, Outcome } from './call.ts'

const required: Field = { required: always }
const optional: Field = { optional: always }
const message = { message: always }

const lost: Outcome = { status: 'UNAUTHORISED', members: message, instead: () => ({ sessionHandle: 'unknown' }) }

const handle = ({ created }: CdiSession): Fields => ({ sessionHandle: created.session.handle })
const nothing = (): Fields => ({})

/** A path may name a tenant, whether the call uses it or not. */
const anyTenant = { '2.21': 404, '3.0': 200 }
/** From a version on, only the public tenant has the call. */
const publicSince5 = { '2.21': 404, '3.0': 200, '5.0': 403 }
const publicOnly = { '2.21': 404, '3.0': 403 }

/** The member `session` of responses. */
export const sessionMembers: Outcome['members'] = {
  handle: always, userId: always, userDataInJWT: always, tenantId: { since: '3.0' }, recipeUserId: { since: '4.0' },
}

/** The version of the access tokens, by the version of CDI from which on it applies. */
export const accessTokenVersions: Readonly<Record<string, string>> = { '2.21': '3', '3.0': '4', '4.0': '5' }

/** Uses the refresh token of the login after the session was refreshed twice. */
async function stolen({ core, version, created, refreshed }: CdiSession): Promise<Fields> {
  core.clock.advance(2 * R + 1)
  await core.refresh(refreshed.refreshToken.token, {}, { version })
  return { refreshToken: created.refreshToken.token, antiCsrfToken: created.antiCsrfToken }
}

/** Every call of CDI that is served. */
export const cdiCalls: readonly CdiCall[] = [
  {
    method: 'GET', path: '/apiversion', fields: {}, request: nothing,
    outcomes: [{ status: null, members: { versions: always } }],
    withTenant: publicSince5, tests: ['are listed', 'version %s is refused', '%s gets access tokens of version %s'],
  },
  {
    method: 'POST', path: '/recipe/session',
    fields: {
      userId: required, userDataInJWT: required, userDataInDatabase: required, enableAntiCsrf: required,
      useDynamicSigningKey: optional, accessTokenValidity: { optional: { since: '5.6' } },
    },
    request: () => ({
      userId: 'alice', userDataInJWT: {}, userDataInDatabase: {}, enableAntiCsrf: true,
      useDynamicSigningKey: true, accessTokenValidity: 5000,
    }),
    outcomes: [{
      status: 'OK', members: { session: always, accessToken: always, refreshToken: always, antiCsrfToken: always },
    }],
    withTenant: anyTenant,
    tests: [
      'has tokens whose times match their claims', 'a body with %s is refused',
      'a payload with the name of a protocol claim is refused, and nothing is stored',
    ],
  },
  {
    method: 'GET', path: '/recipe/session', fields: { sessionHandle: required }, request: handle,
    outcomes: [{
      status: 'OK',
      members: {
        sessionHandle: always, userId: always, userDataInDatabase: always, userDataInJWT: always, expiry: always,
        timeCreated: always, tenantId: { since: '3.0' }, recipeUserId: { since: '4.0' },
      },
    }, lost],
    withTenant: anyTenant,
    tests: ['is returned with its data and times', 'a query without its parameter is refused'],
  },
  {
    method: 'POST', path: '/recipe/session/verify',
    fields: {
      accessToken: required, doAntiCsrfCheck: required, enableAntiCsrf: required, checkDatabase: required,
      antiCsrfToken: optional,
    },
    request: ({ refreshed }) => ({
      accessToken: refreshed.accessToken.token, doAntiCsrfCheck: false, enableAntiCsrf: true, checkDatabase: true,
      antiCsrfToken: refreshed.antiCsrfToken,
    }),
    outcomes: [
      {
        status: 'OK',
        members: { session: always, accessToken: { until: '5.5' }, payloadUpdateAvailable: { since: '5.6' } },
      },
      { status: 'TRY_REFRESH_TOKEN', members: message, instead: () => ({ accessToken: 'x' }) },
      {
        status: 'UNAUTHORISED', members: message,
        instead: async ({ core, created }) => {
          await core.call('/recipe/session/remove', { body: { sessionHandles: [created.session.handle] } })
          return {}
        },
      },
    ],
    withTenant: { '2.21': 404, '3.0': 200, '5.6': 403 },
    tests: [
      'accepts an issued token without a query to the store', 'a changed or expired token gets TRY_REFRESH_TOKEN',
      'requires the anti-CSRF token if anti-CSRF is enabled and checked',
      'returns a newer payload up to 5.4, and only reports it from 5.6 on',
      'returns one without a parent, for every caller and every call; the refresh token stays valid',
      'queries the store: a revoked session is refused, a newer payload is returned',
    ],
  },
  {
    method: 'POST', path: '/recipe/session/refresh',
    fields: {
      refreshToken: required, enableAntiCsrf: required, antiCsrfToken: optional,
      useDynamicSigningKey: { optional: { since: '3.0', until: '4.0' }, required: { since: '5.0' } },
      accessTokenValidity: { optional: { since: '5.6' } },
    },
    request: ({ refreshed }) => ({
      refreshToken: refreshed.refreshToken.token, enableAntiCsrf: false, antiCsrfToken: refreshed.antiCsrfToken,
      useDynamicSigningKey: true, accessTokenValidity: 5000,
    }),
    outcomes: [
      { status: 'OK', members: { session: always, accessToken: always, refreshToken: always } },
      {
        status: 'OK', members: { session: always, accessToken: always, refreshToken: always, antiCsrfToken: always },
        instead: () => ({ enableAntiCsrf: true }),
      },
      { status: 'UNAUTHORISED', members: message, instead: () => ({ refreshToken: 'x' }) },
      {
        status: 'TOKEN_THEFT_DETECTED', members: { session: always, recentTokenReuseSubtype: { since: '5.6' } },
        instead: stolen,
      },
    ],
    withTenant: anyTenant,
    tests: [
      'returns the next pair; repeated within the interval, the same refresh token', '%s: an old token is a theft',
      'requires the anti-CSRF token that was issued with the refresh token',
      'uses the kind of key that the request names, and otherwise that of the session',
      'accepts accessTokenValidity from 5.6 on, up to the configured validity',
    ],
  },
  {
    method: 'POST', path: '/recipe/session/regenerate',
    fields: { accessToken: required, userDataInJWT: optional },
    request: ({ created }) => ({ accessToken: created.accessToken.token, userDataInJWT: { role: 'x' } }),
    outcomes: [
      { status: 'OK', members: { session: always, accessToken: always } },
      { status: 'UNAUTHORISED', members: message, instead: () => ({ accessToken: 'x' }) },
    ],
    withTenant: anyTenant,
    tests: [
      'stores the payload and returns a new access token', 'for an expired token, only stores the payload',
      'refuses forged tokens, removed sessions and protected names',
    ],
  },
  {
    method: 'POST', path: '/recipe/session/remove', variant: 'by user',
    fields: { userId: required, revokeAcrossAllTenants: optional, revokeSessionsForLinkedAccounts: optional },
    request: () => ({ userId: 'bob', revokeAcrossAllTenants: true, revokeSessionsForLinkedAccounts: true }),
    outcomes: [{ status: 'OK', members: { sessionHandlesRevoked: always } }],
    withTenant: publicSince5,
    tests: [
      'is revoked by handle and by user, and expires', 'a removal with %j is refused',
      'sessions are listed and revoked per tenant if the request says so',
    ],
  },
  {
    method: 'POST', path: '/recipe/session/remove', variant: 'by handle', fields: { sessionHandles: required },
    request: ({ created }) => ({ sessionHandles: [created.session.handle] }),
    outcomes: [{ status: 'OK', members: { sessionHandlesRevoked: always } }],
    withTenant: anyTenant,
    tests: [
      'is revoked by handle and by user, and expires',
      'flags that belong to a user id are refused together with handles',
    ],
  },
  {
    method: 'GET', path: '/recipe/session/user',
    fields: { userId: required, fetchAcrossAllTenants: optional },
    request: () => ({ userId: 'alice', fetchAcrossAllTenants: true }),
    outcomes: [{ status: 'OK', members: { sessionHandles: always } }],
    withTenant: publicSince5,
    tests: ['sessions are listed and revoked per tenant if the request says so'],
  },
  {
    method: 'PUT', path: '/recipe/session/data', fields: { sessionHandle: required, userDataInDatabase: required },
    request: session => ({ ...handle(session), userDataInDatabase: { a: 1 } }),
    outcomes: [{ status: 'OK', members: {} }, lost], withTenant: anyTenant, tests: ['has data that can be replaced'],
  },
  {
    method: 'GET', path: '/recipe/session/data', fields: { sessionHandle: required }, request: handle,
    outcomes: [{ status: 'OK', members: { userDataInDatabase: always } }, lost],
    withTenant: anyTenant, tests: ['has data that can be replaced'],
  },
  {
    method: 'PUT', path: '/recipe/jwt/data', fields: { sessionHandle: required, userDataInJWT: required },
    request: session => ({ ...handle(session), userDataInJWT: { a: 1 } }),
    outcomes: [{ status: 'OK', members: {} }, lost], withTenant: anyTenant, tests: ['has data that can be replaced'],
  },
  {
    method: 'GET', path: '/recipe/jwt/data', fields: { sessionHandle: required }, request: handle,
    outcomes: [{ status: 'OK', members: { userDataInJWT: always } }, lost],
    withTenant: anyTenant, tests: ['has data that can be replaced'],
  },
  {
    method: 'GET', path: '/.well-known/jwks.json', fields: {}, request: nothing,
    outcomes: [{ status: null, members: { keys: always } }],
    withTenant: anyTenant,
    tests: [
      'verify access tokens and JWTs of both kinds', 'HDR-02: the key set is the only response that may be cached',
    ],
  },
  {
    method: 'GET', path: '/recipe/jwt/jwks', fields: {}, request: nothing,
    outcomes: [{ status: 'OK', members: { keys: always } }],
    withTenant: publicSince5, tests: ['HDR-02: the key set is the only response that may be cached'],
  },
  {
    method: 'POST', path: '/recipe/jwt',
    fields: {
      algorithm: required, jwksDomain: required, payload: required, validity: required, useStaticSigningKey: optional,
    },
    request: () => ({
      algorithm: 'RS256', jwksDomain: 'https://a.example', payload: {}, validity: 60, useStaticSigningKey: true,
    }),
    outcomes: [
      { status: 'OK', members: { jwt: always } },
      { status: 'UNSUPPORTED_ALGORITHM_ERROR', members: {}, instead: () => ({ algorithm: 'ES256' }) },
    ],
    withTenant: publicSince5, tests: ['verify access tokens and JWTs of both kinds', '/recipe/jwt: %j'],
  },
  {
    method: 'GET', path: '/user/id', fields: { userId: required }, request: () => ({ userId: 'alice' }),
    outcomes: [{ status: 'UNKNOWN_USER_ID_ERROR', members: {} }],
    withTenant: publicSince5, tests: ['responses are JSON that ends with a line feed'],
  },
  ...['/recipe/multitenancy/app/v2', '/recipe/multitenancy/app'].map((path): CdiCall => ({
    method: 'PUT', path, fields: { appId: required, coreConfig: optional },
    request: () => ({ appId: 'shop', coreConfig: {} }),
    outcomes: [{ status: 'OK', members: { createdNew: always } }],
    withTenant: publicOnly,
    tests: [
      'an application is created once, has its own sessions and keys, and loses them when it is removed',
      'an application has the lifetimes that it was created with, given as numbers or texts',
    ],
  })),
  {
    method: 'POST', path: '/recipe/multitenancy/app/remove', fields: { appId: required },
    request: () => ({ appId: 'unknown' }),
    outcomes: [{ status: 'OK', members: { didExist: always } }],
    withTenant: publicOnly,
    tests: ['an application is created once, has its own sessions and keys, and loses them when it is removed'],
  },
  {
    method: 'PUT', path: '/recipe/multitenancy/tenant/v2', fields: { tenantId: required },
    request: () => ({ tenantId: 't1', coreConfig: {} }),
    outcomes: [{ status: 'OK', members: { createdNew: always } }],
    withTenant: anyTenant, tests: ['a tenant need not be created: it exists if it is served'],
  },
  {
    method: 'GET', path: '/recipe/multitenancy/tenant/v2', fields: {}, request: nothing,
    outcomes: [{ status: 'OK', members: { tenantId: always, thirdParty: always, coreConfig: always } }],
    withTenant: anyTenant, tests: ['a tenant need not be created: it exists if it is served'],
  },
  {
    method: 'GET', path: '/jwt/jwks.json', fields: {}, request: nothing,
    outcomes: [{ status: null, members: { keys: always } }],
    withTenant: anyTenant,
    tests: ['the key set of the native API verifies its access tokens, and has none of the keys of CDI'],
  },
]
