import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** SHA-256 of a text, in hex. */
export function hexDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Whether two byte strings are equal, in constant time. */
export function areEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right)
}

/** Whether two texts are equal, in a time that depends on their lengths only. */
export function areTextsEqual(left: string, right: string): boolean {
  return areEqual(Buffer.from(left), Buffer.from(right))
}

/** HMAC-SHA-256. */
export function hmac(key: string | Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/**
 * The value of `<value>.<signature>` with a base64 HMAC-SHA-256 of one of the secrets; null if no signature matches.
 * The value may contain dots, so the last one counts. Each secret that the old system still accepts must be given.
 */
export function unsign(text: string, secrets: readonly string[], encode: (mac: Buffer) => string): string | null {
  const dot = text.lastIndexOf('.')
  if (dot <= 0) return null
  const [value, signature] = [text.slice(0, dot), text.slice(dot + 1)]
  return secrets.some(secret => areTextsEqual(encode(hmac(secret, value)), signature)) ? value : null
}

/** Base64 without padding, as `cookie-signature` writes it. */
export function withoutPadding(mac: Buffer): string {
  return mac.toString('base64').replace(/=+$/, '')
}

/** Base64 with padding. */
export function withPadding(mac: Buffer): string {
  return mac.toString('base64')
}
