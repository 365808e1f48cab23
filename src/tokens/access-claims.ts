import { InvalidDataError } from '../base/errors.ts'
import { parseHandle } from '../base/handle.ts'
import { isJsonObject, isPrototypeMember } from '../base/json.ts'
import type { JsonObject, JsonValue } from '../base/json.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import type { TokenClaims } from './token-format.ts'

/** What an access token of the library's format says besides the application's payload (RFC 7519, RFC 9068). */
export interface AccessClaims extends TokenClaims {
  /** Who issued it. */
  readonly iss: string
  /** Whom it is for; absent unless an audience is configured. */
  readonly aud?: string | readonly string[]
  readonly jti: string
  /** The application's name in the store, unless that is {@link DEFAULT_APPLICATION}. */
  readonly app?: string
}

/**
 * When a token ends: at its `exp`, or sooner where tokens live for a shorter time by now. A lifetime that was lowered
 * in the configuration shortens the tokens that are out already (REV-05).
 */
export function endOfToken(
  { exp, iat }: Pick<TokenClaims, 'exp' | 'iat'>,
  maxLifetime: Milliseconds,
): EpochMilliseconds {
  return Math.min(exp * 1000, iat * 1000 + maxLifetime)
}

/** What an application is called that is not given a name. */
export const DEFAULT_APPLICATION = 'default'

/** The one private claim in which the library keeps its own members: no other name is taken from the application. */
const PRIVATE_CLAIM = 'keyturn'

/** The version of {@link PRIVATE_CLAIM}. */
const FORMAT = 1

/** Claims that no application can set: ours, those of the standards, ways to a prototype (TOK-14, TOK-23). */
export const reservedClaims: ReadonlySet<string> = new Set([
  'iss', 'sub', 'sid', 'aud', 'exp', 'iat', 'nbf', 'jti', 'cnf', 'typ', 'auth_time', PRIVATE_CLAIM,
  '__proto__', 'constructor', 'prototype',
])

/** The claims as the members of a token. */
export function membersOf(claims: AccessClaims): object {
  const { iss, aud, sub, sid, iat, exp, auth_time, jti, tid, gen, brn, ri, pv, tmp, app } = claims
  // A member that is undefined is left out of the JSON.
  const own = { v: FORMAT, tid, gen, brn, ri, pv, tmp, app }
  return { iss, aud, sub, sid, iat, exp, auth_time, jti, [PRIVATE_CLAIM]: own }
}

const MAX_DEPTH = 32

/**
 * Accepts a payload for access tokens.
 * @throws InvalidDataError that names the claim: it is reserved, would reach a prototype, is no JSON value or
 * lies more than 32 levels deep (TOK-14, TOK-23).
 */
export function checkPayload(payload: JsonObject): void {
  for (const [name, value] of Object.entries(payload)) {
    if (reservedClaims.has(name)) {
      const names = [...reservedClaims].join(', ')
      throw new InvalidDataError(`the claim ${name} is reserved in a JWT payload, as are all of: ${names}`)
    }
    if (!isPlain(value, MAX_DEPTH)) {
      throw new InvalidDataError(`the claim ${JSON.stringify(name)} holds what no access token can carry`)
    }
  }
}

/** Whether a value is made of JSON alone, without members that reach a prototype. */
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
 * The claims in the members of a genuine token; `null` if one is missing or of another type (TOK-08, TOK-09).
 * Whether they suit this application and this moment is not looked at.
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
 * The application's payload in the members of a token with a valid signature, or in what the store keeps: all that is not
 * ours. `null` if a member could reach a prototype (TOK-14).
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

/** Whether a member is a NumericDate that can be compared: a finite number, not negative (TOK-09). */
export function isInstant(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

/** Whether the members look like those of our access tokens, signed or not. */
export function looksLikeOurs(members: JsonObject | null): boolean {
  return members !== null && typeof members['sid'] === 'string' && parseHandle(members['sid']) !== null
    && ownClaim(members) !== null
}

/** The private claim among the members of a token; null if there is none. */
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
