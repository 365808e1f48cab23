import { encodeBase64url } from '../base/base64url.ts'
import type { Entropy } from '../base/entropy.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { lengthRefusal } from './access-token-length.ts'
import {
  decodeOwnerUnverified, decodeSessionHandleUnverified, DEFAULT_APPLICATION, MAX_ACCESS_TOKEN_LENGTH, readAccessToken,
  readStoredPayload, writeAccessToken,
} from './access-token.ts'
import type { AccessClaims, TokenIdentity } from './access-token.ts'
import type { Crypto, SignatureAlgorithm } from './crypto.ts'
import type { KeyRing } from './key-ring.ts'
import type { TokenClaims, TokenFormat, TokenStyle, WrittenAccessToken } from './token-format.ts'
import type { TokenOwner } from './token-owner.ts'

/** What is told of tokens without a look at their signatures: to find tokens that belong together, never to trust. */
export interface UnverifiedTokens {
  /** The session that an access token names. */
  peekHandle(accessToken: string): SessionHandle | null
  /** Whose an access token claims to be. */
  ownerOfAccessToken(accessToken: string): TokenOwner
}

/** The library's token format. */
export interface AtJwt extends TokenFormat<TokenStyle, AccessClaims>, UnverifiedTokens {}

/** What the library's format needs. */
export interface AtJwtOptions extends TokenIdentity {
  readonly algorithm: SignatureAlgorithm
  /** How far ahead the clock of another process may be when it issues tokens. */
  readonly clockTolerance: Milliseconds
  readonly crypto: Crypto
  readonly entropy: Entropy
}

/** Makes the library's format: JWT access tokens of the type `at+jwt` (RFC 9068). */
export function atJwt({ algorithm, clockTolerance, crypto, entropy, ...identity }: AtJwtOptions): AtJwt {
  const { issuer, audience, application } = identity

  async function write(
    claims: TokenClaims,
    json: string,
    keys: KeyRing,
    now: EpochMilliseconds,
  ): Promise<WrittenAccessToken<AccessClaims>> {
    const own: AccessClaims = {
      ...claims,
      iss: issuer,
      ...audience === null ? {} : { aud: audience },
      ...application === DEFAULT_APPLICATION ? {} : { app: application },
      jti: encodeBase64url(entropy(12)),
    }
    const payload = readStoredPayload(json)
    return { accessToken: await writeAccessToken(keys.signingKeyAt('access', now), own, payload), claims: own, payload }
  }

  return {
    demands: [{ purpose: 'access', algorithm }],
    maxLength: MAX_ACCESS_TOKEN_LENGTH,
    defaultStyle: { lifetime: null },
    read: (text, keys, now, maxLifetime) => (
      readAccessToken(text, keys, { now, maxLifetime, clockTolerance, issuer, audience, application })
    ),
    refreshTokenIn: text => text,
    refusal: (subject, payload) => lengthRefusal(identity, subject, payload),
    async issue({ claims, payload, refreshToken }, _style, keys, now) {
      return { ...await write(claims, payload, keys, now), refreshToken }
    },
    reissue: write,
    successor: (claims, { iat, pv }) => pv <= claims.pv ? null : { ...claims, iat, pv },
    peekHandle: text => decodeSessionHandleUnverified(text, crypto),
    ownerOfAccessToken: text => decodeOwnerUnverified(text, identity, crypto),
  }
}
