import { cutText } from '../base/cut-text.ts'
import type { ClientInfo } from './record.ts'

const MAX_IP_LENGTH = 64
const MAX_USER_AGENT_LENGTH = 512

/**
 * Makes text from outside fit to be kept and logged: an address of at most 64 and a user agent of at most 512
 * characters (UTF-16 code units), well-formed and without control characters (LOG-02). What is no text is unknown.
 */
export function createClientInfo(ip: string | null, userAgent: string | null): ClientInfo {
  return { ip: fit(ip, MAX_IP_LENGTH), userAgent: fit(userAgent, MAX_USER_AGENT_LENGTH) }
}

function fit(text: unknown, length: number): string | null {
  return typeof text === 'string' ? cutText(text, length).replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '?') : null
}
