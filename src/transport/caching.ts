import type { ResponseWriter } from './exchange.ts'

/** The `Cache-Control` of a response that carries tokens, and of every answer of Keyturn's own (HDR-01). */
export const NEVER_STORED = 'private, no-store'

/** The `Cache-Control` of a response to a verified session, unless the application sets one. */
export const PRIVATE = 'private'

/**
 * Keeps shared caches from storing the response to a verified session (RFC 9111 section 5.2.2.7). What the application
 * has said, or says later, about caching wins.
 */
export function preferPrivate(reply: ResponseWriter): void {
  if (!reply.closed && reply.get('cache-control') === null) reply.set('cache-control', PRIVATE)
}
