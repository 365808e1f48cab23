import { encodeBase64url } from './base64url.ts'
import type { Entropy } from './entropy.ts'
import type { TransferMode } from './wire.ts'

declare const brand: unique symbol

/**
 * The public identifier of a session; not a secret. Its first letter is the transfer mode of the session's tokens: `c`
 * for cookies, `h` for headers. A token that arrives the other way is rejected without a look at the store (CK-14). 22
 * characters of base64url follow: 128 random bits.
 */
export type SessionHandle = string & { readonly [brand]: 'SessionHandle' }

/** The format of a handle. The last character of base64url has no bits beyond the last byte. */
export const HANDLE: RegExp = /^[ch][A-Za-z0-9_-]{21}[AQgw]$/

/** Makes a handle of 16 bytes in base64url, which were derived for a session; `null` if the format is wrong. */
export function derivedHandle(mode: TransferMode, derived: string): SessionHandle | null {
  return parseHandle((mode === 'cookie' ? 'c' : 'h') + derived)
}

/** Generates a handle for a new session. */
export function createHandle(mode: TransferMode, entropy: Entropy): SessionHandle {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- has the format, by its parts
  return ((mode === 'cookie' ? 'c' : 'h') + encodeBase64url(entropy(16))) as SessionHandle
}

/** Parses the handle that a caller or a client has sent; `null` if the format is wrong. */
export function parseHandle(text: string): SessionHandle | null {
  return isHandle(text) ? text : null
}

function isHandle(text: string): text is SessionHandle {
  return HANDLE.test(text)
}

/** The handle that the same derivation has made for the other transfer mode. */
export function otherModeOf(handle: SessionHandle): SessionHandle {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- has the format, as the given one has
  return ((handle[0] === 'c' ? 'h' : 'c') + handle.slice(1)) as SessionHandle
}

/** The transfer mode of the session's tokens. */
export function transferModeOf(handle: SessionHandle): TransferMode {
  return handle[0] === 'c' ? 'cookie' : 'header'
}
