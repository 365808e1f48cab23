import { encodeBase64url } from '../../base/base64url.ts'

/**
 * A random name for an entry of the change log. A cursor holds the name of the entry it points to: after a failover or
 * a restore another entry may have the same number, and the reader must notice that it is another one.
 */
export function createEntryId(): string {
  return encodeBase64url(crypto.getRandomValues(new Uint8Array(9)))
}
