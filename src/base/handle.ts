import { encodeBase64url, isBase64url } from './base64url.ts'
import type { Entropy } from './entropy.ts'
import type { TransferMode } from './wire.ts'

declare const brand: unique symbol

/**
 * The public identifier of a session; never a secret. Its first letter tells where the session's tokens
 * travel (`c` in cookies, `h` in headers), so that a token of the other channel is refused unread (CK-14);
 * 22 characters of base64url follow, 128 random bits.
 */
export type SessionHandle = string & { readonly [brand]: 'SessionHandle' }

const HANDLE_LENGTH = 23

/** Draws a handle for a new session. */
export function createHandle(mode: TransferMode, entropy: Entropy): SessionHandle {
  return ((mode === 'cookie' ? 'c' : 'h') + encodeBase64url(entropy(16))) as SessionHandle
}

/** Reads a handle from outside; `null` if it can not be one of ours. */
export function parseHandle(text: string): SessionHandle | null {
  return isHandle(text) ? text : null
}

function isHandle(text: string): text is SessionHandle {
  return text.length === HANDLE_LENGTH && (text[0] === 'c' || text[0] === 'h') && isBase64url(text.slice(1))
}

/** Where the tokens of this session travel. */
export function transferModeOf(handle: SessionHandle): TransferMode {
  return handle[0] === 'c' ? 'cookie' : 'header'
}
