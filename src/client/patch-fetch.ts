import type { Client } from './client.ts'

/**
 * Makes the global `fetch` carry the session, for code that can not be told to use the client's. Create the client
 * before. Returns how to undo it.
 */
export function patchFetch({ fetch }: Pick<Client<object>, 'fetch'>): () => void {
  const original = globalThis.fetch
  globalThis.fetch = fetch
  return () => {
    globalThis.fetch = original
  }
}
