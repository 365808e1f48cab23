/** How the server differs from the reference core. */
export interface Deviation {
  /** The calls, or what of them. */
  readonly of: string
  readonly versions?: string
  readonly difference: string
  readonly reason: string
  /** The titles of the tests that show it, in `test/server`. */
  readonly tests: readonly string[]
}

/** Deviations of refreshes and verifications: rotation follows Keyturn's own rules, in every version. */
export const rotationDeviations: readonly Deviation[] = [
  {
    of: 'refresh',
    difference: 'A refresh rotates at once. Up to twice the reuse interval after the last response, the same token '
      + 'gets **the same** refresh token and anti-CSRF token again, while the reference issues another child '
      + 'each time.',
    reason: 'Concurrent refreshes must not give a client two refresh tokens of which one later looks like a theft.',
    tests: ['returns the next pair; repeated within the interval, the same refresh token'],
  },
  {
    of: 'refresh',
    difference: 'After that time, as long as nothing shows that the response arrived, the token gets another child. '
      + 'Use of the previous child is then reported as a theft.',
    reason: 'A client that lost the response keeps its session.',
    tests: [
      'is valid after the session was refreshed again, but returns no new token',
      '%s: after another child, the use of the previous one is a theft',
    ],
  },
  {
    of: 'refresh',
    difference: 'If a current refresh token was issued less than twice the reuse interval ago, a refresh returns that '
      + 'token itself, with a new access token: there are no two rotations within that time.',
    reason: 'The response before may still be on its way, and its token must remain the current one or its parent.',
    tests: ['a current token that was issued within twice the interval is exchanged for itself'],
  },
  {
    of: 'refresh',
    difference: 'A refresh may get 503 (`REFRESH_BUSY`), `text/plain`, with `Retry-After`. It means neither a logout '
      + 'nor a theft. The published SDKs keep their tokens and pass the 503 to their caller; the next call '
      + 'after that time succeeds. This happens only to a client that has lost all responses for more than '
      + 'four reuse intervals.',
    reason: 'A response that may still arrive must not be overtaken by one with another token.',
    tests: ['ROT-15: %s: a busy refresh is 503 in plain text with Retry-After, changes nothing, and succeeds later'],
  },
  {
    of: 'verify', versions: 'up to 5.5',
    difference: 'The access token of a refresh names its parent (`parentRefreshTokenHash1`), and `verify` exchanges '
      + 'it for one that does not and is valid for the full time, as in the reference. But `verify` promotes '
      + 'nothing. A session whose access tokens are never sent to `verify` works as well.',
    reason: 'The refresh has rotated already.',
    tests: [
      'returns one without a parent, for every caller and every call; the refresh token stays valid',
      'from 5.6 on, no token names its parent, and no new one is returned',
    ],
  },
  {
    of: 'verify, introspect',
    difference: 'If the access token of a refresh is sent at an age of at least twice the reuse interval, it proves '
      + 'that the response arrived. From then on, another use of the refresh token that was exchanged for it '
      + 'is a theft. In the reference, the first use of the access token proves it.',
    reason: 'A retried refresh may be on its way at the first use.',
    tests: ['confirms the refresh token, but only after twice the reuse interval'],
  },
  {
    of: 'refresh',
    difference: 'When the response is `TOKEN_THEFT_DETECTED`, the session is revoked already, in versions up to 5.5 '
      + 'too. The SDK\'s own revocation then finds nothing to revoke. There is no counterpart of '
      + '`recent_token_reuse_behaviour`.',
    reason: 'The session ends even if the application does not handle the theft.',
    tests: ['%s: an old token is a theft'],
  },
  {
    of: 'refresh',
    difference: 'A token that Keyturn did not issue gets `UNAUTHORISED` and is never a theft.',
    reason: 'Otherwise, anyone who knows a handle could revoke the session.',
    tests: [
      'a malformed token is refused',
      'S-03: `--app a` and `--app b` refuse each other\'s refresh tokens, in both protocols, and report nothing',
    ],
  },
  {
    of: 'refresh',
    difference: 'Every rotation moves the session\'s expiry.',
    reason: 'A rotation is final here; the reference waits up to 5.5 until a token of it is used.',
    tests: ['%s: every rotation moves the expiry of the session'],
  },
  {
    of: 'verify',
    difference: 'When it asks the store, it also refuses a session that has expired, not only one that was removed.',
    reason: 'A session that is past its expiry is over, whether or not a cleanup has removed it.',
    tests: ['verify with checkDatabase refuses a session that has expired but is still stored'],
  },
  {
    of: 'verify', versions: '5.6',
    difference: 'With `checkDatabase`, it does not distinguish a displaced token from the current one.',
    reason: 'An access token is valid until it expires or its session ends; only refresh tokens are displaced.',
    tests: ['from 5.6 on, verify does not distinguish a displaced token from the current one'],
  },
]

/** Deviations of tokens and keys. */
export const tokenDeviations: readonly Deviation[] = [
  {
    of: 'refresh tokens, handles',
    difference: 'A refresh token has Keyturn\'s format (`kt1.…`), with up to two letters after a dot. They say '
      + 'whether it has an anti-CSRF token, which is derived from it, and whether a static key signs. Handles '
      + 'have 23 characters and do not end in the tenant.',
    reason: 'SDKs do not read either, and the format lets a refresh be repeated with the same result.',
    tests: ['a refresh token begins with kt1., and a handle has 23 characters without the tenant'],
  },
  {
    of: 'access tokens',
    difference: 'The header also has a member `keyturn`: which refresh of the session issued it, the session\'s reuse '
      + 'interval, the version of its payload and the time of the login. An access token without it, or '
      + 'without `version`, is refused: a JWT of `/recipe/jwt` is never accepted as one.',
    reason: 'An application that has JWTs signed must not be able to issue sessions by mistake.',
    tests: [
      '%s gets access tokens of version %s',
      'TOK-07: a JWT of /recipe/jwt is not an access token, whatever its claims',
    ],
  },
  {
    of: 'verify',
    difference: 'An access token is accepted for at most the configured lifetime after its issue, whatever its `exp` '
      + 'says. That lifetime is at most a day.',
    reason: 'A shorter lifetime in the settings takes effect at once.',
    tests: [
      'an access token is accepted for at most the configured lifetime, whatever its exp says',
      'settings of the reference that the server does not read have no effect',
    ],
  },
  {
    of: 'static keys',
    difference: 'The kid is `s-` and 16 characters, not a UUID. Static keys exist from the start.',
    reason: 'A verifier that has the key set has the static key, too.',
    tests: ['the kid of a static key has 16 characters after s-, and the key exists before its first use'],
  },
  {
    of: 'dynamic keys',
    difference: 'They are published an hour before they sign, not 60 seconds, and are kept for a day after their last '
      + 'use. `--key-rotation-interval` is at least an hour.',
    reason: 'A verifier with a cached key set never meets a key that it does not have.',
    tests: [
      'TOK-20: keys that rotate daily are also published an hour before they sign, and overlap',
      'are published an hour before they sign, and verify for a day after',
    ],
  },
  {
    of: 'key set',
    difference: 'It is `public`, has an ETag, and a `max-age` of at most 30 minutes.',
    reason: 'Proxies may cache it, and read a new key long before it signs.',
    tests: ['HDR-02: the key set is the only response that may be cached'],
  },
  {
    of: 'regenerate',
    difference: 'It verifies the signature, but not the expiry. An unrecognized token gets `UNAUTHORISED`, not 500.',
    reason: 'A forged token must not change a session.',
    tests: [
      'refuses forged tokens, removed sessions and protected names',
      'for an expired token, only stores the payload',
    ],
  },
]
