import { cutText } from '../base/cut-text.ts'
import type { ClientInfo } from './record.ts'

const MAX_IP_LENGTH = 64
const MAX_USER_AGENT_LENGTH = 512

/**
 * Sanitizes the address and the user agent of a client, so that they can be stored and logged: at most 64 and 512
 * characters (UTF-16 code units), well-formed and without control characters (LOG-02). A value that is not a string
 * becomes null.
 */
export function createClientInfo(ip: string | null, userAgent: string | null): ClientInfo {
  return { ip: fit(ip, MAX_IP_LENGTH), userAgent: fit(userAgent, MAX_USER_AGENT_LENGTH) }
}

function fit(text: unknown, length: number): string | null {
  return typeof text === 'string' ? cutText(text, length).replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '?') : null
}
