import type { Awaitable } from '../base/awaitable.ts'
import { InvalidClaimsError } from '../base/errors.ts'
import type { ClaimValidationError } from '../base/errors.ts'
import { rule } from '../base/options.ts'
import type { Rule } from '../base/options.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import type { OutputOf } from '../session/data-types.ts'
import type { AccessClaims } from '../tokens/access-token.ts'

/** The result of a claim validator. The client receives the reason unchanged. */
export type ClaimValidity = { readonly isValid: true } | { readonly isValid: false; readonly reason?: unknown }

/** A check of a session's claims that a route requires, such as "is an administrator" or "has a verified address". */
export interface ClaimValidator<Payload extends object> {
  /** Tells the client which check failed. */
  readonly id: string
  /** Judges the JWT payload of a session; may return a promise. */
  validate(payload: Readonly<OutputOf<Payload>>): Awaitable<ClaimValidity>
}

/** The rule of a {@link ClaimValidator}. */
export const claimValidatorRule: Rule<ClaimValidator<object>, undefined> = rule(
  'an object with a string `id` and a function `validate`',
  (value): value is ClaimValidator<object> => typeof value === 'object' && value !== null
    && 'id' in value && typeof value.id === 'string' && 'validate' in value && typeof value.validate === 'function',
)

/** Runs all validators. @throws InvalidClaimsError with every check that failed. */
export async function validateClaims<Payload extends object>(
  validators: readonly ClaimValidator<Payload>[],
  payload: Readonly<OutputOf<Payload>>,
): Promise<void> {
  const errors: ClaimValidationError[] = []
  for (const validator of validators) {
    const validity = await validator.validate(payload)
    if (validity.isValid === true) continue
    errors.push(validity.reason === undefined ? { id: validator.id } : { id: validator.id, reason: validity.reason })
  }
  if (errors.length > 0) throw new InvalidClaimsError(errors)
}

/**
 * Requires a login or a re-authentication at most `maxAge` milliseconds ago. A refresh does not count (REV-09). Pure.
 * @throws InvalidClaimsError with the id `auth_time`.
 */
export function requireRecentLogin(claims: AccessClaims, maxAge: Milliseconds, now: EpochMilliseconds): void {
  const age = Math.floor(now / 1000) - claims.auth_time
  const maxAgeInSeconds = maxAge / 1000
  if (age <= maxAgeInSeconds) return
  throw new InvalidClaimsError([
    { id: 'auth_time', reason: { message: 'expired', ageInSeconds: age, maxAgeInSeconds } },
  ])
}
