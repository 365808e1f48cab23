/** Encodes bytes as base64url without padding (RFC 4648 section 5). */
export function encodeBase64url(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Decodes base64url without padding; `null` unless the string is canonical. */
export function decodeBase64url(text: string): Uint8Array | null {
  if (!isBase64url(text)) return null
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), character => character.charCodeAt(0))
}

/**
 * Whether the string is canonical base64url: only its alphabet, no padding, and no bits set beyond the last byte. Two
 * different canonical strings never decode to the same bytes (TOK-11, TOK-16).
 */
export function isBase64url(text: string): boolean {
  const rest = text.length % 4
  return onlyAlphabet.test(text) && (rest === 0 || (endings[rest] ?? '').includes(text.charAt(text.length - 1)))
}

const onlyAlphabet = /^[\w-]*$/
/**
 * The last character of what may follow the last complete group of four: two characters for one byte, or three for two
 * bytes. One character alone never may.
 */
const endings: readonly string[] = ['', '', 'AQgw', 'AEIMQUYcgkosw048']
