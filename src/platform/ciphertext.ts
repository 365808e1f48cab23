import { isBase64url } from '../base/base64url.ts'

/** HKDF's `info` (RFC 5869) of the encryption key. If the secret is also used for another purpose, the keys differ. */
export const encryptionKeyLabel = 'keyturn encryption key 1'

/** HKDF's `info` of the id of a secret. */
export const secretNameLabel = 'keyturn secret name 1'

/** The length of a secret's id in bytes: enough to tell secrets apart. */
export const SECRET_NAME_BYTES = 6

const VERSION = 's1'

/** Formats a ciphertext, with the id of the secret that decrypts it. */
export function formatCiphertext(secretName: string, bytes: string): string {
  return `${VERSION}.${secretName}.${bytes}`
}

/** The bytes of a ciphertext (nonce, encrypted text, tag), base64url, if this secret encrypted it; `null` otherwise. */
export function parseCiphertext(secretName: string, ciphertext: string): string | null {
  const prefix = formatCiphertext(secretName, '')
  const bytes = ciphertext.slice(prefix.length)
  return ciphertext.startsWith(prefix) && isBase64url(bytes) ? bytes : null
}
