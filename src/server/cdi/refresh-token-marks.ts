import { createHash } from 'node:crypto'

/**
 * What CDI adds to a refresh token of Keyturn: at most two letters, after a dot. They need no authentication: only a
 * client that holds the token can change them.
 */
export interface RefreshTokenMarks {
  /** It was issued together with an anti-CSRF token. */
  readonly hasAntiCsrf: boolean
  /** A static key signed the access token that was issued with it. */
  readonly isStatic: boolean
}

/** Writes the refresh token that SDKs get: Keyturn's refresh token with its marks. */
export function writeMarks(token: string, { hasAntiCsrf, isStatic }: RefreshTokenMarks): string {
  const marks = `${hasAntiCsrf ? 'a' : ''}${isStatic ? 's' : ''}`
  return marks === '' ? token : `${token}.${marks}`
}

/** Splits a refresh token into Keyturn's refresh token and its marks. It may have none. */
export function readMarks(text: string): RefreshTokenMarks & { readonly token: string } {
  const [, token = text, marks = ''] = /^([^]{1,300})\.(a|s|as)$/.exec(text.slice(0, 310)) ?? []
  return { token, hasAntiCsrf: marks.includes('a'), isStatic: marks.includes('s') }
}

/**
 * The anti-CSRF token that belongs to a refresh token. It is derived, not random: parallel refreshes that get the same
 * refresh token get the same anti-CSRF token too, and it need not be stored.
 */
export function antiCsrfTokenOf(refreshToken: string): string {
  const hex = sha256Hex(`keyturn anti-csrf token 1.${refreshToken}`)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}

/** Lower-case hex SHA-256 of the UTF-8 bytes of a text. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
