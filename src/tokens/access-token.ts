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
  DEFAULT_APPLICATION, endOfToken, isInstant, hasOwnClaims, membersOf, ownClaim, readClaims, readPayload,
} from './access-claims.ts'
import type { AccessClaims } from './access-claims.ts'
import type { Crypto } from './crypto.ts'
import type { SigningKey } from './key-ring.ts'
import { ACCESS_TOKEN_TYPE } from './key-store.ts'
import type { TokenReading } from './token-format.ts'
import type { TokenOwner } from './token-owner.ts'

export { checkPayload, DEFAULT_APPLICATION } from './access-claims.ts'
export type { AccessClaims, ReservedClaim } from './access-claims.ts'

/** Longer strings are rejected as access tokens without being read (DOS-01). */
export const MAX_ACCESS_TOKEN_LENGTH = 8192

/** The longest access token that is issued: name and value of a cookie may have 4,096 bytes together (CK-04). */
export const MAX_WRITTEN_LENGTH = 3900

/** What to do if an access token is too long, for messages. */
export const SHORTEN_PAYLOAD: string =
  'Put less into the JWT payload, and what only the server needs into the session info. '
  + 'A JWT payload may have up to 2,000 bytes, over CDI up to 5,000'

const MAX_CLOCK_TOLERANCE: Milliseconds = 60_000

/** The keys that access tokens are verified with: a key ring, or the public keys of another service. */
export interface VerificationKeys {
  /** The key whose tokens have exactly this header segment (TOK-06), or null. */
  accessKeyByHeader(segment: string): Pick<SigningKey, 'verify'> | null
  /** Whether there is a signing key with this id. */
  hasAccessKey(kid: string): boolean
  /** Decodes a segment of a token; `null` unless it is canonical base64url of strict UTF-8 (TOK-13). */
  decodeText(segment: string): string | null
}

/** The claims that all access tokens of one application have in common. */
export interface TokenIdentity {
  readonly issuer: string
  readonly audience: string | null
  /** The application's name in the store. */
  readonly application: string
}

/** What an access token is checked against. */
export interface AccessTokenExpectations extends TokenIdentity {
  readonly now: EpochMilliseconds
  /** Compared exactly (TOK-10). */
  readonly issuer: string
  /** Must be one of the token's audiences; null: the token must have none. */
  readonly audience: string | null
  /** Compared exactly (S-03). */
  readonly application: string
  /** A token is accepted for at most this long after its `iat`, even if its `exp` is later. */
  readonly maxLifetime: Milliseconds
  /** How far in the future `iat` and `nbf` may be, because clocks differ: 5 s by default, at most 60 s. */
  readonly clockTolerance?: Milliseconds
}

/** The result of reading an access token. */
export type AccessTokenReading = TokenReading<AccessClaims>

const unrecognized = { kind: 'unrecognized' } as const
const invalid = { kind: 'invalid' } as const

/**
 * Parses a stored JWT payload for an access token. Leaves out reserved claims: another token format may have allowed
 * them, and write access to the database must not be enough to impersonate a user (TOK-23).
 * @throws InvalidDataError if it is not a JSON object, or has a member that reaches a prototype.
 */
export function readStoredPayload(json: string): JsonObject {
  const stored = parseJsonObject(json)
  const payload = stored === null ? null : readPayload(stored)
  if (payload === null) {
    throw new InvalidDataError('the stored JWT payload is not a JSON object, is nested too deep, or has a member named '
      + '__proto__, constructor or prototype')
  }
  return payload
}

/**
 * Signs an access token with these claims and the application's payload.
 * @throws InvalidDataError if the token is too long for a cookie.
 */
export function writeAccessToken(key: SigningKey, claims: AccessClaims, payload: JsonObject): Awaitable<string> {
  const token = key.sign(JSON.stringify({ ...payload, ...membersOf(claims) }))
  return typeof token === 'string' ? checkLength(token) : token.then(checkLength)
}

function checkLength(token: string): string {
  if (token.length <= MAX_WRITTEN_LENGTH) return token
  throw new InvalidDataError(
    `the access token would have ${token.length} characters; at most ${MAX_WRITTEN_LENGTH} fit into a cookie. `
      + SHORTEN_PAYLOAD,
  )
}

/**
 * Verifies an access token: first its form, then key, signature and claims (TOK-01). Never throws. Synchronous if the
 * platform's cryptography is.
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
  const verified = key.verify(text.slice(0, payloadEnd), signature)
  return mapAwaitable(verified,
    isValid => isValid === true ? readVerified(ring.decodeText(payload), expected) : invalid)
}

/**
 * The session that an access token names. The signature is not verified: use it to find tokens of the same session,
 * never to authorize anything (TOK-01). `null` if the string does not have the form of an access token of Keyturn.
 */
export function decodeSessionHandleUnverified(
  text: string,
  crypto: Pick<Crypto, 'decodeText'>,
): SessionHandle | null {
  return handleIn(decodeMembersUnverified(text, crypto))
}

/**
 * The application that an access token claims to be of. The signature is not verified. `ours` if the token names this
 * issuer, this application and a session; any other JWT is of another application.
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

/** Checks the claims of a token with a valid signature. */
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

/**
 * Classifies a token whose header segment is not that of a known key. A key that another process has added can then be
 * read from the store.
 */
function classify(header: string, payload: string, signature: string, ring: VerificationKeys): AccessTokenReading {
  const members = decodeObject(ring, header)
  const kid = members?.['kid']
  if (typeof kid !== 'string') return unrecognized
  if (ring.hasAccessKey(kid)) return invalid
  if (members?.['typ'] !== ACCESS_TOKEN_TYPE || kid.length !== 16 || !isBase64url(kid) || !isBase64url(signature)) {
    return unrecognized
  }
  return hasOwnClaims(decodeObject(ring, payload)) ? { kind: 'unknown-key', kid } : unrecognized
}

function decodeObject(crypto: Pick<Crypto, 'decodeText'>, segment: string): JsonObject | null {
  const text = crypto.decodeText(segment)
  return text === null ? null : parseJsonObject(text)
}
