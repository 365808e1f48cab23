import { GeneralError } from '../base/errors.ts'

/** The shortest secret that keys may be encrypted with, in characters. */
export const MIN_SECRET_LENGTH = 32

/** Rejects secrets that are too short. @throws GeneralError (`MISUSE`) (TOK-22). */
export function checkSecrets(secrets: readonly string[]): void {
  if (secrets.every(secret => typeof secret === 'string' && secret.length >= MIN_SECRET_LENGTH)) return
  throw new GeneralError('MISUSE', `each secret must be a string of at least ${MIN_SECRET_LENGTH} characters`)
}
