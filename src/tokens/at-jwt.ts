import { encodeBase64url } from '../base/base64url.ts'
import type { Entropy } from '../base/entropy.ts'
import { InvalidDataError } from '../base/errors.ts'
import { createHandle, transferModeOf } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import { LAST_SECOND } from '../base/time.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { membersOf } from './access-claims.ts'
import {
  decodeOwnerUnverified, decodeSessionHandleUnverified, DEFAULT_APPLICATION, MAX_ACCESS_TOKEN_LENGTH,
  MAX_WRITTEN_LENGTH,
  readAccessToken, readStoredPayload, SHORTEN_PAYLOAD, writeAccessToken,
} from './access-token.ts'
import type { AccessClaims, TokenIdentity } from './access-token.ts'
import type { Crypto, SignatureAlgorithm } from './crypto.ts'
import type { KeyRing } from './key-ring.ts'
import { ACCESS_TOKEN_TYPE } from './key-store.ts'
import { acceptingMacs } from './token-mac.ts'
import type { Subject, TokenClaims, TokenFormat, TokenStyle, WrittenAccessToken } from './token-format.ts'
import type { TokenOwner } from './token-owner.ts'

/** Reads tokens without verifying signatures: to find tokens of the same session, never to authorize anything. */
export interface UnverifiedTokens {
  /** The session that an access token names. */
  decodeHandleUnverified(accessToken: string): SessionHandle | null
  /** The application that an access token claims to be of. */
  ownerOfAccessToken(accessToken: string): TokenOwner
}

/** The library's token format. */
export interface AtJwt extends TokenFormat<TokenStyle, AccessClaims>, UnverifiedTokens {}

/** The options of {@link atJwt}. */
export interface AtJwtOptions extends TokenIdentity {
  readonly algorithm: SignatureAlgorithm
  /** How far ahead the clock of the process that issued a token may be. */
  readonly clockTolerance: Milliseconds
  readonly crypto: Crypto
  readonly entropy: Entropy
}

/** Creates the library's token format: JWT access tokens of the type `at+jwt` (RFC 9068). */
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
    const key = keys.signingKeyAt('access', now)
    const accessToken = await writeAccessToken(key, own, payload)
    const mac = transferModeOf(own.sid) === 'cookie' ? await key.mac?.(accessToken) ?? null : null
    return { accessToken, mac, claims: own, payload }
  }

  return {
    keyRequests: [{ purpose: 'access', algorithm }],
    maxLength: MAX_ACCESS_TOKEN_LENGTH,
    defaultStyle: { lifetime: null },
    read(text, ring, now, maxLifetime, macs) {
      const keys = macs === null ? ring : acceptingMacs(ring, text, macs)
      return readAccessToken(text, keys, { now, maxLifetime, clockTolerance, issuer, audience, application })
    },
    refreshTokenIn: text => text,
    findLengthProblem: (subject, payload) => lengthProblem(identity, subject, payload),
    async issue({ claims, payload, refreshToken }, _style, keys, now) {
      return { ...await write(claims, payload, keys, now), refreshToken }
    },
    reissue: write,
    successor: (claims, { iat, pv }) => pv <= claims.pv ? null : { ...claims, iat, pv },
    decodeHandleUnverified: text => decodeSessionHandleUnverified(text, crypto),
    ownerOfAccessToken: text => decodeOwnerUnverified(text, identity, crypto),
  }
}

/** All handles have the same length. */
const longestHandle = createHandle('cookie', length => new Uint8Array(length))

/** The longest values of the claims that differ between tokens of one session. */
const longestClaims: Required<Omit<AccessClaims, 'iss' | 'aud' | 'app' | 'sub' | 'sid' | 'tid'>> = {
  iat: LAST_SECOND,
  exp: LAST_SECOND,
  auth_time: LAST_SECOND,
  jti: 'x'.repeat(16),
  gen: Number.MAX_SAFE_INTEGER,
  brn: Number.MAX_SAFE_INTEGER,
  ri: Number.MAX_SAFE_INTEGER,
  pv: Number.MAX_SAFE_INTEGER,
  tmp: true,
}

const header = JSON.stringify({ alg: 'RS256', typ: ACCESS_TOKEN_TYPE, kid: 'x'.repeat(16) })
/** Characters of an `RS256` signature with a 2,048-bit key, as Keyturn generates. Other signatures have 86 or 43. */
const LONGEST_SIGNATURE = 342

/** The issuer counts as at least this many bytes, so that a longer issuer can be configured later. */
const ISSUER_RESERVE = 128

/**
 * The longest that an access token of a session with this payload (a JSON string) can be, in characters: with a
 * signature of any algorithm, the longest counters and any issuer of up to 128 bytes. Audience and application count
 * with their current length: sessions do not survive a change of these. Pure.
 */
export function longestAccessToken(identity: TokenIdentity, { userId, tenantId }: Subject, payload: string): number {
  const claims = JSON.stringify(membersOf({
    iss: identity.issuer.padEnd(ISSUER_RESERVE),
    ...identity.audience === null ? {} : { aud: identity.audience },
    ...identity.application === DEFAULT_APPLICATION ? {} : { app: identity.application },
    sub: userId,
    sid: longestHandle,
    tid: tenantId,
    ...longestClaims,
  }))
  return base64urlLength(bytesOf(header)) + 1 + base64urlLength(bytesOf(claims) + bytesOf(payload)) + 1
    + LONGEST_SIGNATURE
}

/**
 * The error if an access token with this payload (a JSON string) could become too long for a cookie: the payload must
 * not be stored, because every later refresh would fail (S-12). Null if it fits. Pure.
 */
export function lengthProblem(identity: TokenIdentity, subject: Subject, payload: string): InvalidDataError | null {
  const length = longestAccessToken(identity, subject, payload)
  if (length <= MAX_WRITTEN_LENGTH) return null
  return new InvalidDataError(
    `the access token could have ${length} characters; at most ${MAX_WRITTEN_LENGTH} fit into a cookie: the JWT `
      + `payload has ${bytesOf(payload)} bytes, the user id ${bytesOf(JSON.stringify(subject.userId)) - 2}, the tenant `
      + `id ${subject.tenantId.length}, the issuer ${bytesOf(identity.issuer)} and the audience `
      + `${bytesOf(identity.audience ?? '')}. ${SHORTEN_PAYLOAD}`,
  )
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length
}

function base64urlLength(bytes: number): number {
  return Math.ceil(bytes * 4 / 3)
}
