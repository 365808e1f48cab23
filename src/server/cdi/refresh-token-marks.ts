import { createHash } from 'node:crypto'

/**
 * What the text of a refresh token tells the server besides our own token: two letters at the most, after a dot. They
 * need no authentication: whoever can change them holds the token.
 */
export interface RefreshTokenMarks {
  /** It was issued together with an anti-CSRF token. */
  readonly hasAntiCsrf: boolean
  /** A static key signed the access token that was issued with it. */
  readonly isStatic: boolean
}

/** Writes the text that SDKs carry: our refresh token and its marks. */
export function writeMarks(token: string, { hasAntiCsrf, isStatic }: RefreshTokenMarks): string {
  const marks = `${hasAntiCsrf ? 'a' : ''}${isStatic ? 's' : ''}`
  return marks === '' ? token : `${token}.${marks}`
}

/** Takes the marks off. A text without any is our token alone. */
export function readMarks(text: string): RefreshTokenMarks & { readonly token: string } {
  const [, token = text, marks = ''] = /^([^]{1,300})\.(a|s|as)$/.exec(text.slice(0, 310)) ?? []
  return { token, hasAntiCsrf: marks.includes('a'), isStatic: marks.includes('s') }
}

/**
 * The anti-CSRF token that goes with a refresh token. Derived, not drawn: parallel refreshes that get the same refresh
 * token get the same anti-CSRF token, and nothing more is stored.
 */
export function antiCsrfTokenOf(refreshToken: string): string {
  const hex = sha256Hex(`keyturn anti-csrf token 1.${refreshToken}`)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}

/** Lower-case hex SHA-256 of the UTF-8 bytes of a text. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
