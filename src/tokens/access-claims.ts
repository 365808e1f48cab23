import { InvalidDataError } from '../base/errors.ts'
import { parseHandle } from '../base/handle.ts'
import { isJsonObject, isPrototypeMember } from '../base/json.ts'
import type { JsonObject, JsonValue } from '../base/json.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import type { TokenClaims } from './token-format.ts'

/** The claims of an access token in the library's format, without the application's payload (RFC 7519, RFC 9068). */
export interface AccessClaims extends TokenClaims {
  /** The issuer. */
  readonly iss: string
  /** The audience; absent unless one is configured. */
  readonly aud?: string | readonly string[]
  readonly jti: string
  /** The application's name in the store; absent if it is {@link DEFAULT_APPLICATION}. */
  readonly app?: string
}

/**
 * When a token expires: at its `exp`, or earlier if the configured lifetime is now shorter. Lowering the lifetime in
 * the configuration also shortens tokens that were issued before (REV-05).
 */
export function endOfToken(
  { exp, iat }: Pick<TokenClaims, 'exp' | 'iat'>,
  maxLifetime: Milliseconds,
): EpochMilliseconds {
  return Math.min(exp * 1000, iat * 1000 + maxLifetime)
}

/** The name of an application that configures none. */
export const DEFAULT_APPLICATION = 'default'

/** The private claim that contains the library's own members. The application can use every other private name. */
const PRIVATE_CLAIM = 'keyturn'

/** The version of the format of {@link PRIVATE_CLAIM}. */
const FORMAT = 1

/** A claim of the library or of the standards, which an application cannot set (TOK-23). */
export type ReservedClaim =
  | 'iss' | 'sub' | 'sid' | 'aud' | 'exp' | 'iat' | 'nbf' | 'jti' | 'cnf' | 'typ' | 'auth_time' | typeof PRIVATE_CLAIM

/** Every {@link ReservedClaim}, and the names that reach a prototype (TOK-14). */
export const reservedClaims: ReadonlySet<string> = new Set<ReservedClaim | '__proto__' | 'constructor' | 'prototype'>([
  'iss', 'sub', 'sid', 'aud', 'exp', 'iat', 'nbf', 'jti', 'cnf', 'typ', 'auth_time', PRIVATE_CLAIM,
  '__proto__', 'constructor', 'prototype',
])

/** Converts claims to the members of a JWT. */
export function membersOf(claims: AccessClaims): object {
  const { iss, aud, sub, sid, iat, exp, auth_time, jti, tid, gen, brn, ri, pv, tmp, app } = claims
  // JSON.stringify leaves out members that are undefined.
  const own = { v: FORMAT, tid, gen, brn, ri, pv, tmp, app }
  return { iss, aud, sub, sid, iat, exp, auth_time, jti, [PRIVATE_CLAIM]: own }
}

const MAX_DEPTH = 32

/**
 * Checks that a payload can be put into access tokens.
 * @throws InvalidDataError that names a claim that is reserved, would reach a prototype, is not JSON or is nested more
 * than 32 levels deep (TOK-14, TOK-23).
 */
export function checkPayload(payload: JsonObject): void {
  for (const [name, value] of Object.entries(payload)) {
    if (reservedClaims.has(name)) {
      const names = [...reservedClaims].join(', ')
      throw new InvalidDataError(`a JWT payload cannot contain the reserved claim ${name}; reserved are ${names}`)
    }
    if (!isPlain(value, MAX_DEPTH)) {
      throw new InvalidDataError(`the claim ${JSON.stringify(name)} of the JWT payload must be JSON, nested at most `
        + `${MAX_DEPTH} levels deep, without members named __proto__, constructor or prototype`)
    }
  }
}

/** Whether a value is JSON, without members that reach a prototype. */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) {
    return value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
  }
  if (depth === 0) return false
  if (Array.isArray(value)) return value.every(item => isPlain(item, depth - 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  return Object.entries(value).every(([name, member]) => !isPrototypeMember(name) && isPlain(member, depth - 1))
}

/**
 * The claims in the members of a token with a valid signature; `null` if a claim is missing or has another type
 * (TOK-08, TOK-09). Does not check issuer, audience, application or times.
 */
export function readClaims(members: JsonObject): AccessClaims | null {
  const { iss, aud, sub, sid, iat, exp, auth_time, jti, [PRIVATE_CLAIM]: own } = members
  if (!isJsonObject(own)) return null
  const { v, tid, gen, brn, ri, pv, tmp, app } = own
  const handle = v === FORMAT && typeof sid === 'string' ? parseHandle(sid) : null
  if (handle === null || !isText(iss) || !isText(sub) || !isText(tid) || !isText(jti)) return null
  if (!isInstant(iat) || !isInstant(exp) || !isInstant(auth_time)) return null
  if (!isCount(gen) || !isCount(brn) || !isCount(ri) || !isCount(pv)) return null
  if (tmp !== undefined && tmp !== true) return null
  if (aud !== undefined && !isAudience(aud)) return null
  if (app !== undefined && !isText(app)) return null
  const claims = { iss, sub, sid: handle, tid, iat, exp, auth_time, jti, gen, brn, ri, pv }
  if (aud === undefined && tmp === undefined && app === undefined) return claims
  return {
    ...claims,
    ...(aud === undefined ? {} : { aud }), ...(tmp === undefined ? {} : { tmp }), ...(app === undefined ? {} : { app }),
  }
}

/**
 * The application's payload: all members that are not reserved, of a token with a valid signature or of a stored
 * payload. `null` if a member could reach a prototype (TOK-14).
 */
export function readPayload(members: JsonObject): JsonObject | null {
  const payload: JsonObject = {}
  for (const name in members) {
    if (reservedClaims.has(name)) continue
    const value = members[name]
    if (value === undefined || !isPlain(value, MAX_DEPTH)) return null
    payload[name] = value
  }
  return payload
}

/** Whether a member is a valid NumericDate: a finite number, not negative (TOK-09). */
export function isInstant(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

/** Whether the members have the form of an access token of Keyturn. Does not look at the signature. */
export function hasOwnClaims(members: JsonObject | null): boolean {
  return members !== null && typeof members['sid'] === 'string' && parseHandle(members['sid']) !== null
    && ownClaim(members) !== null
}

/** The library's private claim among the members of a token; null if there is none. */
export function ownClaim({ [PRIVATE_CLAIM]: own }: JsonObject): JsonObject | null {
  return isJsonObject(own) ? own : null
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== ''
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isAudience(value: JsonValue): value is string | string[] {
  return typeof value === 'string' || (Array.isArray(value) && value.every(item => typeof item === 'string'))
}
