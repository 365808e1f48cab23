/** Encodes bytes as base64url without padding (RFC 4648 section 5). */
export function encodeBase64url(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Decodes base64url without padding; `null` unless it is in its one canonical spelling. */
export function decodeBase64url(text: string): Uint8Array | null {
  const bytes = utf8.encode(text)
  const length = decodeBase64urlInPlace(bytes)
  return length === null ? null : bytes.slice(0, length)
}

/**
 * Decodes characters of base64url, given as the first `length` bytes, into the same bytes. How many bytes they became;
 * `null` unless they are in their one canonical spelling. Plain code: the decoders of the platforms use AVX-512, which
 * slows the signature check beside it by 4 microseconds on Intel processors.
 */
export function decodeBase64urlInPlace(bytes: Uint8Array, length: number = bytes.length): number | null {
  const rest = length % 4
  if (rest === 1 || !endsCanonically(bytes[length - 1], rest)) return null
  const whole = length - rest
  let seen = 0
  let written = 0
  for (let index = 0; index < whole; index += 4) {
    const group = sextetAt(bytes, index) << 18 | sextetAt(bytes, index + 1) << 12
      | sextetAt(bytes, index + 2) << 6 | sextetAt(bytes, index + 3)
    seen |= group
    bytes[written++] = group >> 16
    bytes[written++] = group >> 8
    bytes[written++] = group
  }
  if (rest !== 0) {
    const third = rest === 3 ? sextetAt(bytes, whole + 2) : 0
    const group = sextetAt(bytes, whole) << 18 | sextetAt(bytes, whole + 1) << 12 | third << 6
    seen |= group
    bytes[written++] = group >> 16
    bytes[written] = group >> 8
  }
  return seen >= 0 ? Math.floor(length * 3 / 4) : null
}

/**
 * Whether the text is base64url in its one canonical spelling: only its alphabet, no padding, and
 * no bits set beyond the last byte, so that two spellings never name the same bytes (TOK-11, TOK-16).
 */
export function isBase64url(text: string): boolean {
  const rest = text.length % 4
  // A regular expression looks at a character ten times as fast as a loop does.
  return rest !== 1 && onlyAlphabet.test(text) && endsCanonically(text.charCodeAt(text.length - 1), rest)
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const onlyAlphabet = /^[A-Za-z0-9_-]*$/
/** Negative, and so is a group with one of these in it, however far it was shifted. */
const NO_SEXTET = -1
const utf8 = new TextEncoder()

/** The value of each character, by its code. */
const sextets = new Int8Array(256).fill(NO_SEXTET)
for (let value = 0; value < alphabet.length; value++) sextets[alphabet.charCodeAt(value)] = value

function sextetAt(bytes: Uint8Array, index: number): number {
  return sextets[bytes[index] ?? 0] ?? NO_SEXTET
}

/** Whether no bits are set beyond the last byte, where `rest` characters follow the last whole group. */
function endsCanonically(last: number | undefined, rest: number): boolean {
  return rest === 0 || ((sextets[last ?? 0] ?? NO_SEXTET) & (rest === 2 ? 0b1111 : 0b11)) === 0
}
