import { mapAwaitable } from '../../base/awaitable.ts'
import { InvalidDataError } from '../../base/errors.ts'
import { parseHandle } from '../../base/handle.ts'
import { isJsonObject, parseJsonObject } from '../../base/json.ts'
import type { JsonObject, JsonValue } from '../../base/json.ts'
import type { EpochMilliseconds, Milliseconds } from '../../base/time.ts'
import { CLOCK_TOLERANCE } from '../../session/policy.ts'
import type { Crypto } from '../../tokens/crypto.ts'
import type { KeyRing } from '../../tokens/key-ring.ts'
import { endOfToken } from '../../tokens/access-claims.ts'
import type {
  TokenClaims, TokenFormat, TokenReading, TokenStyle, WrittenAccessToken,
} from '../../tokens/token-format.ts'
import type { AccessTokenVersion } from './protocol.ts'
import { antiCsrfTokenOf, readMarks, sha256Hex, writeMarks } from './refresh-token-marks.ts'

/** The claims of a CDI access token besides the application's payload. */
export interface CdiClaims extends TokenClaims {
  readonly version: AccessTokenVersion
  /** Whether a dynamic key signs it. */
  readonly isDynamic: boolean
  /** SHA-256 of the refresh token that was issued with it, in lower-case hex. */
  readonly refreshTokenHash1: string
  /**
   * SHA-256 of the refresh token that was exchanged for it. If it is not null, SDKs send the access token to `verify`
   * and get another one in which it is null. If it is null, they verify the token themselves.
   */
  readonly parentRefreshTokenHash1: string | null
  readonly antiCsrfToken: string | null
}

/** How CDI tokens are written. */
export interface CdiTokenStyle extends TokenStyle {
  readonly version: AccessTokenVersion
  readonly hasAntiCsrf: boolean
  /** Which kind of key signs; null: the kind that has signed for the session so far. */
  readonly isDynamic: boolean | null
  /** Whether the access token names the refresh token it was exchanged for, so that SDKs send it to `verify` first. */
  readonly namesParent: boolean
}

/** The payload has a member with the name of a protocol claim. */
export class ProtectedClaimError extends InvalidDataError {
  constructor() {
    super('The user payload contains protected field')
  }
}

const claimNames = [
  'sub', 'exp', 'iat', 'sessionHandle', 'refreshTokenHash1', 'parentRefreshTokenHash1', 'antiCsrfToken',
]

/** The names that the payload must not have, by the version of the access token. */
export const protectedClaims: Readonly<Record<AccessTokenVersion, ReadonlySet<string>>> = {
  3: new Set(claimNames),
  4: new Set([...claimNames, 'tId']),
  5: new Set([...claimNames, 'tId', 'rsub']),
}

/** @throws ProtectedClaimError if the payload has a member with the name of a protocol claim. */
export function requireUnprotected(payload: JsonObject, version: AccessTokenVersion): void {
  if (Object.keys(payload).some(name => protectedClaims[version].has(name))) throw new ProtectedClaimError()
}

/** The longest access token with a payload of {@link PRESET_PAYLOAD_BYTES}. Longer payloads make longer tokens. */
const PRESET_LENGTH = 16_384
const PRESET_PAYLOAD_BYTES = 5000
const unrecognized = { kind: 'unrecognized' } as const
const invalid = { kind: 'invalid' } as const

/**
 * Creates the token format of CDI: JWTs of versions 3 to 5, signed with `RS256`, and refresh tokens with marks.
 * Keyturn's own claims are in the JWT header, since CDI takes every claim but its own for the application's payload.
 */
export function cdiTokens(
  crypto: Pick<Crypto, 'decodeText'>,
  maxPayloadBytes: number,
): TokenFormat<CdiTokenStyle, CdiClaims> {
  // Base64url makes four characters of three bytes.
  const maxLength = PRESET_LENGTH + Math.ceil(Math.max(0, maxPayloadBytes - PRESET_PAYLOAD_BYTES) * 4 / 3)
  const decode = (segment: string): JsonObject | null => {
    const text = crypto.decodeText(segment)
    return text === null ? null : parseJsonObject(text)
  }

  async function write(
    claims: CdiClaims,
    json: string,
    keys: KeyRing,
    now: EpochMilliseconds,
  ): Promise<WrittenAccessToken<CdiClaims>> {
    const { version, gen, brn, ri, pv, auth_time: at } = claims
    const payload = parseJsonObject(json)
    if (payload === null) throw new InvalidDataError('the stored payload is not a JSON object')
    requireUnprotected(payload, version)
    const key = keys.signingKeyAt(claims.isDynamic ? 'core-dynamic' : 'core-static', now)
    const accessToken = await key.sign(JSON.stringify({
      ...payload,
      sub: claims.sub,
      exp: claims.exp,
      iat: claims.iat,
      sessionHandle: claims.sid,
      refreshTokenHash1: claims.refreshTokenHash1,
      parentRefreshTokenHash1: claims.parentRefreshTokenHash1,
      antiCsrfToken: claims.antiCsrfToken,
      ...version === '3' ? {} : { tId: claims.tid },
      ...version === '5' ? { rsub: claims.sub } : {},
    }), { version, keyturn: { gen, brn, ri, pv, at } })
    return { accessToken, mac: null, claims, payload }
  }

  return {
    keyRequests: [{ purpose: 'core-dynamic', algorithm: 'RS256' }, { purpose: 'core-static', algorithm: 'RS256' }],
    maxLength,
    // The lifetime is not shortened by a random amount: the protocol states the lifetime of its tokens.
    defaultStyle: {
      version: '5', hasAntiCsrf: false, isDynamic: null, namesParent: false, lifetime: Number.POSITIVE_INFINITY,
    },

    /** A JWT of `/recipe/jwt` is not an access token, even if the same key signed it: it has no `version` (TOK-07). */
    read(text, keys, now, maxLifetime) {
      const [header = '', body, signature, ...rest] = text.length > maxLength ? [] : text.split('.')
      if (body === undefined || signature === undefined || rest.length > 0) return unrecognized
      const { alg, typ, kid, version, crit, keyturn } = decode(header) ?? {}
      if (typ !== 'JWT' || typeof kid !== 'string' || !isTokenVersion(version)) return unrecognized
      const key = keys.signingKey(kid)
      if (key === null) return /^[ds]-[\w-]{13,36}$/.test(kid) ? { kind: 'unknown-key', kid } : unrecognized
      if (key.purpose === 'access' || alg !== key.algorithm || crit !== undefined) return unrecognized
      const isDynamic = key.purpose === 'core-dynamic'
      return mapAwaitable(key.verify(`${header}.${body}`, signature), isValid => (
        isValid === true ? readVerified(decode(body), version, isDynamic, keyturn, now, maxLifetime) : invalid
      ))
    },

    refreshTokenIn: text => readMarks(text).token,

    findLengthProblem(_subject, payload, style) {
      const names = style === null ? [] : Object.keys(parseJsonObject(payload) ?? {})
      return style !== null && names.some(name => protectedClaims[style.version].has(name))
        ? new ProtectedClaimError()
        : null
    },

    async issue({ claims, payload, refreshToken, presented }, style, keys, now) {
      const { version, hasAntiCsrf } = style
      const { token, isStatic } = readMarks(presented ?? '')
      const isDynamic = style.isDynamic ?? !isStatic
      const text = writeMarks(refreshToken, { hasAntiCsrf, isStatic: !isDynamic })
      const namesParent = style.namesParent && presented !== null && refreshToken !== token
      const written = await write({
        ...claims,
        version,
        isDynamic,
        refreshTokenHash1: sha256Hex(text),
        parentRefreshTokenHash1: namesParent ? sha256Hex(presented) : null,
        antiCsrfToken: hasAntiCsrf ? antiCsrfTokenOf(text) : null,
      }, payload, keys, now)
      return { ...written, refreshToken: text }
    },

    reissue: write,

    successor(claims, { iat, exp, pv, gen, brn }) {
      // If the session has been refreshed past this token, it stays valid until it expires, but gets no successor.
      const isCurrent = gen < claims.gen || (gen === claims.gen && brn <= claims.brn)
      const isDue = pv > claims.pv || (claims.parentRefreshTokenHash1 !== null && isCurrent)
      return isDue ? { ...claims, iat, exp, pv, parentRefreshTokenHash1: null } : null
    },
  }
}

/** Reads the claims of a token whose signature is valid. */
function readVerified(
  members: JsonObject | null,
  version: AccessTokenVersion,
  isDynamic: boolean,
  own: JsonValue | undefined,
  now: EpochMilliseconds,
  maxLifetime: Milliseconds,
): TokenReading<CdiClaims> {
  const names = protectedClaims[version]
  if (members === null || !isJsonObject(own) || [...names].some(name => !Object.hasOwn(members, name))) return invalid
  const { gen, brn, ri, pv, at } = own
  const { sub, exp, iat, sessionHandle, refreshTokenHash1, parentRefreshTokenHash1, antiCsrfToken, tId, stt } = members
  const tid = version === '3' ? 'public' : tId
  const sid = typeof sessionHandle === 'string' ? parseHandle(sessionHandle) : null
  if (sid === null || typeof sub !== 'string' || typeof tid !== 'string') return invalid
  if (!isCount(exp) || !isCount(iat) || !isCount(at)) return invalid
  if (!isCount(gen) || !isCount(brn) || !isCount(ri) || !isCount(pv)) return invalid
  if (typeof refreshTokenHash1 !== 'string') return invalid
  if (!isTextOrNull(parentRefreshTokenHash1) || !isTextOrNull(antiCsrfToken)) return invalid
  // `stt` is the type of a token: 0 or none is an access token.
  if ((stt !== undefined && stt !== 0) || iat * 1000 > now + CLOCK_TOLERANCE) return invalid
  const claims: CdiClaims = {
    sub, sid, tid, iat, exp, auth_time: at, gen, brn, ri, pv,
    version, isDynamic, refreshTokenHash1, parentRefreshTokenHash1, antiCsrfToken,
  }
  if (endOfToken(claims, maxLifetime) <= now) return { kind: 'expired', claims }
  const payload = Object.fromEntries(Object.entries(members).filter(([name]) => !names.has(name)))
  return { kind: 'valid', claims, payload }
}

function isTokenVersion(value: JsonValue | undefined): value is AccessTokenVersion {
  return value === '3' || value === '4' || value === '5'
}

function isTextOrNull(value: JsonValue | undefined): value is string | null {
  return value === null || typeof value === 'string'
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
