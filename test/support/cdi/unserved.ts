/** Calls of CDI that get 404 in every version. */
export interface UnservedCalls {
  readonly calls: readonly string[]
  readonly reason: string
}

/** Calls that SDKs with the session recipe make, or that stand beside those, and that are not served. */
export const unservedCalls: readonly UnservedCalls[] = [
  {
    calls: ['POST /recipe/handshake'],
    reason: 'CDI removed it in 2.21, the oldest version that is served. SDKs of these versions read the key set.',
  },
  {
    calls: ['GET /telemetry', 'GET /ee/featureflag'],
    reason: 'There is no telemetry, and no feature needs a licence. The session recipe does not make these calls.',
  },
  {
    calls: ['GET /users', 'GET /users/count', 'POST /user/remove'],
    reason: 'The application has the users. `/user/id` says that none is known.',
  },
  {
    calls: ['POST /recipe/userid/map', 'GET /recipe/userid/map'],
    reason: 'User ids are not mapped: the application passes its own ids.',
  },
  {
    calls: ['GET /recipe/multitenancy/tenant/list/v2', 'POST /recipe/multitenancy/tenant/remove'],
    reason: 'Tenants are labels of sessions, which are not stored: there is nothing to list or remove.',
  },
  {
    calls: ['GET /recipe/multitenancy/app/list/v2'],
    reason: 'Applications are a setting of the server (`--app`), and no session call needs their list.',
  },
  {
    calls: ['POST /recipe/signup', 'POST /recipe/signin', 'GET /recipe/user/metadata', 'GET /recipe/roles'],
    reason: 'Other recipes are not served: the server has sessions only.',
  },
]

/** The versions of CDI that are older than the oldest that is served. */
export const unservedVersions: readonly string[] = Array.from({ length: 14 }, (_, index) => `2.${index + 7}`)
