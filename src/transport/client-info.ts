import type { ClientInfo } from '../session/record.ts'

const MAX_USER_AGENT_LENGTH = 256

/**
 * Makes text from outside fit to be kept and logged: a user agent of at most 256 characters, no control characters
 * (LOG-02).
 */
export function createClientInfo(ip: string | null, userAgent: string | null): ClientInfo {
  return { ip, userAgent: userAgent === null ? null : printable(userAgent.slice(0, MAX_USER_AGENT_LENGTH)) }
}

function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?')
}
