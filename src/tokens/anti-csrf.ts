import { encodeBase64url, isBase64url } from '../base/base64url.ts'
import { constantTimeEqual } from '../base/constant-time.ts'
import type { Entropy } from '../base/entropy.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { KeyRing } from './key-ring.ts'
import type { RefreshKey } from './refresh-token.ts'

const KID_LENGTH = 16
const NONCE_LENGTH = 22

/** Creates an anti-CSRF token of the session: `<kid>.<nonce>.<mac>` (CSRF-06). */
export async function createAntiCsrfToken(key: RefreshKey, handle: SessionHandle, entropy: Entropy): Promise<string> {
  const nonce = encodeBase64url(entropy(16))
  return `${key.kid}.${nonce}.${await key.antiCsrfMac(messageOf(handle, nonce))}`
}

/** Whether the string is a valid anti-CSRF token of this session (CSRF-06, CSRF-07). */
export async function isAntiCsrfToken(ring: KeyRing, handle: SessionHandle, text: string): Promise<boolean> {
  const nonceEnd = KID_LENGTH + 1 + NONCE_LENGTH
  if (text[KID_LENGTH] !== '.' || text[nonceEnd] !== '.') return false
  const nonce = text.slice(KID_LENGTH + 1, nonceEnd)
  const key = ring.refreshKey(text.slice(0, KID_LENGTH))
  if (key === null || !isBase64url(nonce)) return false
  return constantTimeEqual(await key.antiCsrfMac(messageOf(handle, nonce)), text.slice(nonceEnd + 1))
}

function messageOf(handle: SessionHandle, nonce: string): string {
  return `${handle.length}:${handle}${nonce.length}:${nonce}`
}
