import type { Awaitable } from '../../base/awaitable.ts'
import { parseHandle } from '../../base/handle.ts'
import type { SessionHandle } from '../../base/handle.ts'
import { parseJsonObject } from '../../base/json.ts'
import type { JsonObject, JsonValue } from '../../base/json.ts'
import type { EpochSeconds, Milliseconds } from '../../base/time.ts'
import type { LineagePlace } from '../../session/decide-refresh.ts'
import type { Crypto } from '../../tokens/crypto.ts'
import type { KeyRing, SigningKey } from '../../tokens/key-ring.ts'
import type { AccessTokenVersion } from './protocol.ts'

/** What an access token of the core protocol says besides the application's payload. */
export interface CoreClaims {
  readonly userId: string
  readonly handle: SessionHandle
  readonly tenantId: string
  readonly issuedAt: EpochSeconds
  readonly expiresAt: EpochSeconds
  /** SHA-256 of the text of the refresh token that was issued with it, lower-case hex. */
  readonly refreshTokenHash1: string
  /**
   * The same of the refresh token that was exchanged for it. With a hash, SDKs ask `verify` about the token and get
   * another one that has null here; with null they judge it themselves.
   */
  readonly parentRefreshTokenHash1: string | null
  readonly antiCsrfToken: string | null
  /** Where its refresh token stands in the lineage. In the header: whatever else is among the claims is payload. */
  readonly place: LineagePlace
  /** The session's reuse interval; in the header as well. */
  readonly reuseInterval: Milliseconds
}

/** A genuine access token. Whether its time is over is not looked at. */
export interface CoreAccessToken {
  readonly version: AccessTokenVersion
  readonly claims: CoreClaims
  readonly payload: JsonObject
  /** Whether a dynamic key signed it. */
  readonly isDynamic: boolean
}

const claimNames = [
  'sub', 'exp', 'iat', 'sessionHandle', 'refreshTokenHash1', 'parentRefreshTokenHash1', 'antiCsrfToken',
]

/** The names that the payload of a token of this version can not have. */
export const protectedClaims: Readonly<Record<AccessTokenVersion, ReadonlySet<string>>> = {
  3: new Set(claimNames),
  4: new Set([...claimNames, 'tId']),
  5: new Set([...claimNames, 'tId', 'rsub']),
}

/** Whether the payload has a name that belongs to the protocol. */
export function hasProtectedClaim(payload: JsonObject, version: AccessTokenVersion): boolean {
  return Object.keys(payload).some(name => protectedClaims[version].has(name))
}

/** The longest text that is looked at as an access token (DOS-01). */
const MAX_LENGTH = 16_384

/** Writes an access token. */
export function writeCoreAccessToken(
  key: SigningKey,
  version: AccessTokenVersion,
  claims: CoreClaims,
  payload: JsonObject,
): Awaitable<string> {
  const { generation: gen, branch: brn } = claims.place
  return key.sign(JSON.stringify({
    ...payload,
    sub: claims.userId,
    exp: claims.expiresAt,
    iat: claims.issuedAt,
    sessionHandle: claims.handle,
    refreshTokenHash1: claims.refreshTokenHash1,
    parentRefreshTokenHash1: claims.parentRefreshTokenHash1,
    antiCsrfToken: claims.antiCsrfToken,
    ...version === '3' ? {} : { tId: claims.tenantId },
    ...version === '5' ? { rsub: claims.userId } : {},
  }), { version, gen, brn, ri: claims.reuseInterval })
}

/**
 * Reads an access token; null unless we signed it as one. A JWT of `/recipe/jwt` has no `version` and is none, though
 * the same key may have signed it (TOK-07). Never throws on any text.
 */
export async function readCoreAccessToken(
  text: string,
  ring: KeyRing,
  crypto: Pick<Crypto, 'decodeText'>,
): Promise<CoreAccessToken | null> {
  if (text.length > MAX_LENGTH) return null
  const [header, body, signature, ...rest] = text.split('.')
  if (header === undefined || body === undefined || signature === undefined || rest.length > 0) return null
  const { alg, typ, kid, version, crit, gen, brn, ri } = decodeObject(crypto, header) ?? {}
  if (alg !== 'RS256' || typ !== 'JWT' || crit !== undefined || typeof kid !== 'string' || !isTokenVersion(version)) {
    return null
  }
  if (!isCount(gen) || !isCount(brn) || !isCount(ri)) return null
  const key = ring.signingKey(kid)
  if (key === null || await key.verify(`${header}.${body}`, signature) !== true) return null
  const members = decodeObject(crypto, body)
  const claims = members === null ? null : readClaims(members, version, { generation: gen, branch: brn }, ri)
  if (members === null || claims === null) return null
  const payload = Object.fromEntries(Object.entries(members).filter(([name]) => !protectedClaims[version].has(name)))
  return { version, claims, payload, isDynamic: key.purpose === 'core-dynamic' }
}

/** The name of the key that a text claims to be signed with, unverified: to know when to read the keys anew. */
export function keyNameOf(text: string, crypto: Pick<Crypto, 'decodeText'>): string | null {
  const kid = text.length > MAX_LENGTH ? null : decodeObject(crypto, text.split('.', 1)[0] ?? '')?.['kid']
  return typeof kid === 'string' ? kid : null
}

function readClaims(
  members: JsonObject,
  version: AccessTokenVersion,
  place: LineagePlace,
  reuseInterval: Milliseconds,
): CoreClaims | null {
  for (const name of protectedClaims[version]) if (!Object.hasOwn(members, name)) return null
  const { sub, exp, iat, sessionHandle, refreshTokenHash1, parentRefreshTokenHash1, antiCsrfToken, tId, stt } = members
  const handle = typeof sessionHandle === 'string' ? parseHandle(sessionHandle) : null
  if (handle === null || typeof sub !== 'string' || typeof refreshTokenHash1 !== 'string') return null
  if (!isCount(exp) || !isCount(iat)) return null
  if (!isTextOrNull(parentRefreshTokenHash1) || !isTextOrNull(antiCsrfToken)) return null
  const tenantId = version === '3' ? 'public' : tId
  // `stt` tells tokens of other kinds apart.
  if (typeof tenantId !== 'string' || (stt !== undefined && stt !== 0)) return null
  return {
    userId: sub, handle, tenantId, issuedAt: iat, expiresAt: exp,
    refreshTokenHash1, parentRefreshTokenHash1, antiCsrfToken, place, reuseInterval,
  }
}

function decodeObject(crypto: Pick<Crypto, 'decodeText'>, segment: string): JsonObject | null {
  const text = crypto.decodeText(segment)
  return text === null ? null : parseJsonObject(text)
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
