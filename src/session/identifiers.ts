import { InvalidDataError } from '../base/errors.ts'
import { text, withDefault } from '../base/options.ts'
import type { Rule } from '../base/options.ts'
import { DEFAULT_APPLICATION } from '../tokens/access-token.ts'

/** The longest user id, in characters (code points): that of `sub` in OpenID Connect (Core 1.0 section 2). */
export const MAX_USER_ID_LENGTH = 255

/**
 * Checks a user id, and returns it: 1 to 255 characters of well-formed Unicode without U+0000. Half of a
 * surrogate pair cannot be encoded in UTF-8: stores and JSON parsers would replace it differently, and several ids
 * could become the same. PostgreSQL cannot store U+0000. So an id is the same in every store, token and protocol
 * (S-14).
 * @throws InvalidDataError
 */
export function requireUserId(userId: unknown): string {
  return judge(userId, 1)
}

/** As {@link requireUserId}, for CDI, which also allows the empty user id. */
export function requireCdiUserId(userId: unknown): string {
  return judge(userId, 0)
}

function judge(userId: unknown, least: number): string {
  if (typeof userId !== 'string') throw refusal(least, userId === null ? 'null' : typeof userId)
  const length = lengthOf(userId)
  if (length < least || length > MAX_USER_ID_LENGTH) throw refusal(least, `${length} characters`)
  if (userId.includes('\0')) throw refusal(least, 'one with U+0000')
  // With the flag `u`, `\p{Surrogate}` matches half of a pair only.
  if (/\p{Surrogate}/u.test(userId)) throw refusal(least, 'one with half of a surrogate pair')
  return userId
}

/** The number of characters, as JSON Schema and databases count them: a surrogate pair is one. */
function lengthOf(text: string): number {
  if (text.length <= MAX_USER_ID_LENGTH) return text.length
  let length = 0
  for (const _ of text) length++
  return length
}

function refusal(least: number, received: string): InvalidDataError {
  return new InvalidDataError(
    `the user id must be a string of ${least} to ${MAX_USER_ID_LENGTH} characters of well-formed Unicode without `
      + `U+0000; received ${received}`,
  )
}

/** The format of a tenant id. */
export const TENANT_ID: RegExp = /^[a-z0-9-]{1,64}$/

/** Checks a tenant id, and returns it. @throws InvalidDataError */
export function requireTenantId(tenantId: unknown): string {
  if (typeof tenantId === 'string' && TENANT_ID.test(tenantId)) return tenantId
  throw new InvalidDataError('the tenant id must be a string of 1 to 64 lower-case letters, digits and hyphens')
}

/** The rule of an application's name in a store. */
export const applicationRule: Rule<string, string> = withDefault(
  DEFAULT_APPLICATION, text('1 to 64 letters, digits and any of . _ -', /^[A-Za-z0-9._-]{1,64}$/))
