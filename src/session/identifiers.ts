import { InvalidDataError } from '../base/errors.ts'
import { text, withDefault } from '../base/options.ts'
import type { Rule } from '../base/options.ts'
import { DEFAULT_APPLICATION } from '../tokens/access-token.ts'

/** The longest user id, in UTF-16 code units, as JavaScript counts: `sub` of OpenID Connect (Core 1.0 section 2). */
export const MAX_USER_ID_LENGTH = 255

/**
 * Accepts a user id: 1 to 255 UTF-16 code units of well-formed Unicode without U+0000. Half of a surrogate pair has no
 * UTF-8, so that stores and JSON readers would each make another text of it, and of several ids one and the same; and
 * PostgreSQL keeps no U+0000. An id thus means the same in every store, token and protocol (S-14).
 * @throws InvalidDataError
 */
export function requireUserId(userId: unknown): string {
  return judge(userId, 1)
}

/** As {@link requireUserId}, for the core protocol: it knows no shortest id, and SDKs may mean the empty one. */
export function requireCdiUserId(userId: unknown): string {
  return judge(userId, 0)
}

function judge(userId: unknown, least: number): string {
  if (typeof userId !== 'string') throw refusal(least, userId === null ? 'null' : typeof userId)
  if (userId.length < least || userId.length > MAX_USER_ID_LENGTH) throw refusal(least, `${userId.length} characters`)
  if (userId.includes('\0')) throw refusal(least, 'one with U+0000')
  // Without its other half, a surrogate is a character of its own here.
  if (/\p{Surrogate}/u.test(userId)) throw refusal(least, 'one with half of a surrogate pair')
  return userId
}

function refusal(least: number, received: string): InvalidDataError {
  return new InvalidDataError(
    `the user id must be a text of ${least} to ${MAX_USER_ID_LENGTH} characters, in well-formed Unicode and without `
      + `U+0000; received ${received}`,
  )
}

/** What the id of a tenant looks like. */
export const TENANT_ID: RegExp = /^[a-z0-9-]{1,64}$/

/** Accepts the id of a tenant. @throws InvalidDataError */
export function requireTenantId(tenantId: unknown): string {
  if (typeof tenantId === 'string' && TENANT_ID.test(tenantId)) return tenantId
  throw new InvalidDataError('the tenant id must be a text of 1 to 64 lower-case letters, digits and hyphens')
}

/** What names an application in a store. */
export const applicationRule: Rule<string, string> = withDefault(
  DEFAULT_APPLICATION, text('1 to 64 letters, digits and any of . _ -', /^[A-Za-z0-9._-]{1,64}$/))
