import { mapAwaitable } from '../base/awaitable.ts'
import type { Awaitable } from '../base/awaitable.ts'
import { isBase64url } from '../base/base64url.ts'
import { InvalidDataError } from '../base/errors.ts'
import { parseHandle } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import { parseJsonObject } from '../base/json.ts'
import type { JsonObject } from '../base/json.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import {
  DEFAULT_APPLICATION, endOfToken, isInstant, looksLikeOurs, membersOf, ownClaim, readClaims, readPayload,
} from './access-claims.ts'
import type { AccessClaims } from './access-claims.ts'
import type { Crypto } from './crypto.ts'
import type { SigningKey } from './key-ring.ts'
import { ACCESS_TOKEN_TYPE } from './key-store.ts'
import type { TokenReading } from './token-format.ts'
import type { TokenOwner } from './token-owner.ts'

export { checkPayload, DEFAULT_APPLICATION } from './access-claims.ts'
export type { AccessClaims } from './access-claims.ts'

/** The longest text that is looked at as an access token (DOS-01). */
export const MAX_ACCESS_TOKEN_LENGTH = 8192

/** The longest access token that is written: name and value of a cookie have 4,096 bytes together (CK-04). */
export const MAX_WRITTEN_LENGTH = 3900

/** What to do about an access token that is too long, for messages. */
export const SHORTER: string = 'Keep less in the JWT payload, and what only the server needs in the session info. '
  + 'The library\'s format carries a JWT payload of up to 2,000 bytes, the core protocol\'s of 5,000'

const MAX_CLOCK_TOLERANCE: Milliseconds = 60_000

/** What access tokens are verified with: a key ring, or the public keys of another service. */
export interface VerificationKeys {
  /** The key of a header segment, by exact text (TOK-06), or null. */
  accessKeyByHeader(segment: string): Pick<SigningKey, 'verify'> | null
  /** Whether a signing key of this name is among them. */
  hasAccessKey(kid: string): boolean
  /** Decodes a segment of a token; `null` unless it is canonical base64url of strict UTF-8 (TOK-13). */
  decodeText(segment: string): string | null
}

/** What is constant in the access tokens of one application. */
export interface TokenIdentity {
  readonly issuer: string
  readonly audience: string | null
  /** The application's name in the store. */
  readonly application: string
}

/** What an access token must agree with. */
export interface AccessTokenExpectations extends TokenIdentity {
  readonly now: EpochMilliseconds
  /** Compared exactly (TOK-10). */
  readonly issuer: string
  /** Must be among the token's audiences; with null the token must have none. */
  readonly audience: string | null
  /** Compared exactly (S-03). */
  readonly application: string
  /** No token is accepted for longer than this after its `iat`, whatever its `exp` says. */
  readonly maxLifetime: Milliseconds
  /** How far in the future `iat` and `nbf` may lie, for clocks that disagree: default 5 s, at most 60 s. */
  readonly clockTolerance?: Milliseconds
}

/** What an access token turned out to be. */
export type AccessTokenReading = TokenReading<AccessClaims>

const unrecognized = { kind: 'unrecognized' } as const
const invalid = { kind: 'invalid' } as const

/**
 * What of a stored payload, JSON text, an access token can carry. Names of ours are left out: another format may have
 * allowed them, and whoever edits the database must not decide who a user is (TOK-23).
 * @throws InvalidDataError for what is no payload at all.
 */
export function readStoredPayload(json: string): JsonObject {
  const stored = parseJsonObject(json)
  const payload = stored === null ? null : readPayload(stored)
  if (payload === null) throw new InvalidDataError('the stored JWT payload holds what no access token can carry')
  return payload
}

/**
 * Writes an access token: the claims and the application's payload side by side.
 * @throws InvalidDataError if no cookie could hold the token.
 */
export function writeAccessToken(key: SigningKey, claims: AccessClaims, payload: JsonObject): Awaitable<string> {
  const token = key.sign(JSON.stringify({ ...payload, ...membersOf(claims) }))
  return typeof token === 'string' ? checkLength(token) : token.then(checkLength)
}

function checkLength(token: string): string {
  if (token.length <= MAX_WRITTEN_LENGTH) return token
  throw new InvalidDataError(
    `the access token would be ${token.length} characters long, and ${MAX_WRITTEN_LENGTH} fit into a cookie. ${SHORTER}`,
  )
}

/**
 * Judges an access token: shape, then key, then signature, then claims (TOK-01). Never throws on any text.
 * Synchronous where the platform's cryptography is.
 */
export function readAccessToken(
  text: string,
  ring: VerificationKeys,
  expected: AccessTokenExpectations,
): Awaitable<AccessTokenReading> {
  if (text.length > MAX_ACCESS_TOKEN_LENGTH) return unrecognized
  const headerEnd = text.indexOf('.')
  const payloadEnd = text.indexOf('.', headerEnd + 1)
  if (headerEnd < 0 || payloadEnd < 0 || text.includes('.', payloadEnd + 1)) return unrecognized
  const header = text.slice(0, headerEnd)
  const payload = text.slice(headerEnd + 1, payloadEnd)
  const signature = text.slice(payloadEnd + 1)

  const key = ring.accessKeyByHeader(header)
  if (key === null) return classify(header, payload, signature, ring)
  const genuine = key.verify(text.slice(0, payloadEnd), signature)
  return mapAwaitable(genuine, holds => holds === true ? readVerified(ring.decodeText(payload), expected) : invalid)
}

/**
 * The session that an access token names, without any look at its signature: to find tokens that belong together,
 * never to decide anything (TOK-01). `null` if the text is not of the shape of our access tokens.
 */
export function decodeSessionHandleUnverified(
  text: string,
  crypto: Pick<Crypto, 'decodeText'>,
): SessionHandle | null {
  return handleIn(decodeMembersUnverified(text, crypto))
}

/**
 * Whose an access token claims to be, without any look at its signature: ours, if it names our issuer, our application
 * and a session. Any other token counts as another application's.
 */
export function decodeOwnerUnverified(
  text: string,
  { issuer, application }: Pick<TokenIdentity, 'issuer' | 'application'>,
  crypto: Pick<Crypto, 'decodeText'>,
): TokenOwner {
  const members = decodeMembersUnverified(text, crypto)
  if (members === null) return 'unreadable'
  const isOurs = members['iss'] === issuer && (ownClaim(members)?.['app'] ?? DEFAULT_APPLICATION) === application
  return isOurs && handleIn(members) !== null ? 'ours' : 'other'
}

function decodeMembersUnverified(text: string, crypto: Pick<Crypto, 'decodeText'>): JsonObject | null {
  if (text.length > MAX_ACCESS_TOKEN_LENGTH) return null
  const headerEnd = text.indexOf('.')
  const payloadEnd = text.indexOf('.', headerEnd + 1)
  if (headerEnd < 0 || payloadEnd < 0 || text.includes('.', payloadEnd + 1)) return null
  return decodeObject(crypto, text.slice(headerEnd + 1, payloadEnd))
}

function handleIn(members: JsonObject | null): SessionHandle | null {
  const sid = members?.['sid']
  return typeof sid === 'string' ? parseHandle(sid) : null
}

/** Judges the claims of a token whose signature held. */
function readVerified(text: string | null, expected: AccessTokenExpectations): AccessTokenReading {
  const members = text === null ? null : parseJsonObject(text)
  if (members === null) return invalid
  const claims = readClaims(members)
  if (claims === null || claims.iss !== expected.issuer || !isFor(claims.aud, expected.audience)) return invalid
  if ((claims.app ?? DEFAULT_APPLICATION) !== expected.application) return invalid

  const { now, maxLifetime } = expected
  const horizon = now + Math.min(expected.clockTolerance ?? 5000, MAX_CLOCK_TOLERANCE)
  const { nbf } = members
  if (claims.iat * 1000 > horizon) return invalid
  if (nbf !== undefined && (!isInstant(nbf) || nbf * 1000 > horizon)) return invalid
  const payload = readPayload(members)
  if (payload === null) return invalid

  if (endOfToken(claims, maxLifetime) <= now) return { kind: 'expired', claims }
  return { kind: 'valid', claims, payload }
}

function isFor(audiences: AccessClaims['aud'], audience: string | null): boolean {
  if (audience === null) return audiences === undefined
  return typeof audiences === 'string' ? audiences === audience : audiences?.includes(audience) === true
}

/** Tells apart what has no header of ours, so that a key that is new to this process can be fetched. */
function classify(header: string, payload: string, signature: string, ring: VerificationKeys): AccessTokenReading {
  const members = decodeObject(ring, header)
  const kid = members?.['kid']
  if (typeof kid !== 'string') return unrecognized
  if (ring.hasAccessKey(kid)) return invalid
  if (members?.['typ'] !== ACCESS_TOKEN_TYPE || kid.length !== 16 || !isBase64url(kid) || !isBase64url(signature)) {
    return unrecognized
  }
  return looksLikeOurs(decodeObject(ring, payload)) ? { kind: 'unknown-key', kid } : unrecognized
}

function decodeObject(crypto: Pick<Crypto, 'decodeText'>, segment: string): JsonObject | null {
  const text = crypto.decodeText(segment)
  return text === null ? null : parseJsonObject(text)
}
