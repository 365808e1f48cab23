/** Encodes bytes as base64url without padding (RFC 4648 section 5). */
export function encodeBase64url(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Decodes base64url without padding; `null` for any other character or an impossible length. */
export function decodeBase64url(text: string): Uint8Array | null {
  if (!isBase64url(text)) return null
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  const bytes = new Uint8Array(binary.length)
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index)
  return bytes
}

/**
 * Whether the text is base64url in its one canonical spelling: only its alphabet, no padding, and
 * no bits set beyond the last byte, so that two spellings never name the same bytes (TOK-11, TOK-16).
 */
export function isBase64url(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (sextet(text.charCodeAt(index)) < 0) return false
  }
  const rest = text.length % 4
  if (rest === 0) return true
  if (rest === 1) return false
  return (sextet(text.charCodeAt(text.length - 1)) & (rest === 2 ? 0b1111 : 0b11)) === 0
}

function sextet(code: number): number {
  if (code >= 65 && code <= 90) return code - 65
  if (code >= 97 && code <= 122) return code - 71
  if (code >= 48 && code <= 57) return code + 4
  if (code === 45) return 62
  if (code === 95) return 63
  return -1
}
