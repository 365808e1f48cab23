import type { Deviation } from './deviations.ts'

/** Deviations of all requests, of applications and of tenants. */
export const requestDeviations: readonly Deviation[] = [
  {
    of: 'all calls', versions: 'up to 2.20',
    difference: 'These versions, with their older tokens, are not served: 400.',
    reason: 'They need formats of access tokens that Keyturn does not have.',
    tests: ['version %s is not served'],
  },
  {
    of: 'all calls',
    difference: 'A server without API keys serves only programs on its own machine: a request from a web page, or '
      + 'for a host name that is not local, gets 403.',
    reason: 'Otherwise, any page that a developer opens could create and read sessions.',
    tests: ['requests of web pages get 403 and change nothing', 'a host name that is not local gets 403: %s'],
  },
  {
    of: 'bodies',
    difference: 'They are read as UTF-8, whatever their `Content-Type` says. An array with one text does not count as '
      + 'a text, and a number does not count as a flag.',
    reason: 'The reference decodes other charsets wrongly by default, and these conversions are quirks of its '
      + 'parser.',
    tests: ['a body is read as UTF-8 whatever its Content-Type says', 'a body with %s is refused'],
  },
  {
    of: 'user ids, payload, data',
    difference: 'User ids have at most 255 characters of well-formed Unicode without U+0000, the '
      + 'payload has at most 5,000 bytes, session data at most 1 MiB, and both are settings. Otherwise the '
      + 'request gets 400, and 413 if the body exceeds `--max-body-bytes`.',
    reason: 'Every store must hold what one of them accepts, and an access token must fit into a header.',
    tests: [
      'S-14: every CDI call refuses it with the same message: %s',
      'V-12: the payload of CDI is as long as --max-payload-bytes says; by default 5,000 bytes',
      'of 1 MiB is kept, read and listed by both APIs, and one byte more is refused',
    ],
  },
  {
    of: '`/`, `/hello`, 405',
    difference: '`/` and `/hello` have these five methods only, not any. A 405 lists the path\'s methods in `Allow`.',
    reason: 'RFC 9110 requires `Allow`.',
    tests: [
      '/ and /hello answer Hello to every method of the table, in every version',
      'a 405 lists the methods of the path in Allow',
    ],
  },
  {
    of: '`/recipe/jwt`',
    difference: 'The `validity` is at least one second, and must end at a date that JavaScript can represent.',
    reason: 'Otherwise the JWT would expire when it is issued, or verifiers could not read its `exp`.',
    tests: ['the validity of a JWT is at least a second, and ends at a date that JavaScript can represent'],
  },
  {
    of: 'tenants',
    difference: 'All tenants are served unless `--tenant` names some; then a path with an unknown one gets the '
      + 'reference\'s 400, also for the calls that do not use the tenant. A tenant need not be created: `PUT '
      + '/recipe/multitenancy/tenant/v2` only says whether it is served, with 403 if not.',
    reason: 'A tenant is only a label of sessions: no permission depends on it.',
    tests: [
      'a tenant need not be created: it exists if it is served',
      'sessions are listed and revoked per tenant if the request says so',
    ],
  },
  {
    of: 'applications',
    difference: 'Applications are named with `--app`. A server without API keys also creates applications on request. '
      + 'Their sessions are kept in memory and end with the server. Of `coreConfig`, it reads '
      + '`access_token_validity`, `refresh_token_validity` and `api_keys`, in the format of `--api-key`.',
    reason: 'The test suites of SDKs create one for each case. In production, applications are a setting: 403.',
    tests: [
      'an application is created once, has its own sessions and keys, and loses them when it is removed',
      'an application has the lifetimes that it was created with, given as numbers or texts',
      'ADM-01: an application with API keys refuses requests without one, in CDI and in the native API',
      'ADM-01: a server with API keys creates no application, but says whether one exists',
    ],
  },
  {
    of: 'users',
    difference: 'Accounts are not linked and user ids are not mapped: `recipeUserId` equals `userId`, and flags about '
      + 'linked accounts have no effect. `/user/id` finds no user.',
    reason: 'The application has the users.',
    tests: ['%s gets access tokens of version %s', 'responses are JSON that ends with a line feed'],
  },
  {
    of: 'all calls',
    difference: 'If the store fails, the response is 503 with `Retry-After`, always with the same message. The log '
      + 'has the reason. The reference answers 500 with the text of the exception.',
    reason: 'A failure of the database is temporary, and its text is for the operator.',
    tests: ['%s is answered with 503 and Retry-After, and again when it is back'],
  },
  {
    of: 'settings',
    difference: '`ip_allow_regex`, `ip_deny_regex` and the served versions cannot be configured.',
    reason: 'A firewall or proxy restricts addresses; API keys restrict callers.',
    tests: ['settings of the reference that the server does not read have no effect'],
  },
  {
    of: '`/jwt/jwks.json`',
    difference: 'An addition: the keys of the access tokens of the native API.',
    reason: 'Both kinds of access tokens have keys of their own.',
    tests: ['the key set of the native API verifies its access tokens, and has none of the keys of CDI'],
  },
]
