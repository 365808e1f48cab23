import type { ResponseWriter } from './exchange.ts'

/** The `Cache-Control` of responses with tokens, and of all responses of Keyturn's own routes (HDR-01). */
export const NEVER_STORED = 'private, no-store'

/** The `Cache-Control` of a response to a verified session, unless the application sets one. */
export const PRIVATE = 'private'

/**
 * Keeps shared caches from storing the response to a verified session (RFC 9111 section 5.2.2.7). A `Cache-Control`
 * that the application has set, or sets later, takes precedence.
 */
export function preferPrivate(reply: ResponseWriter): void {
  if (!reply.closed && reply.get('cache-control') === null) reply.set('cache-control', PRIVATE)
}
