import { platformBase } from './address.ts'
import type { Client } from './client.ts'

/**
 * Makes the global `fetch` carry the session, for code that can not be told to use the client's. Relative addresses
 * mean what they mean to the platform, not to `baseUrl`. Create the client before. Returns how to undo it.
 */
export function patchFetch({ fetch }: Pick<Client<object>, 'fetch'>): () => void {
  if (typeof fetch !== 'function') throw new TypeError('patchFetch must be given a client, as createClient returns')
  const original = globalThis.fetch
  globalThis.fetch = async (input, init) => {
    const base = platformBase()
    const isAddress = typeof input === 'string' || input instanceof URL
    return fetch(isAddress && base ? new URL(input, base) : input, init)
  }
  return () => {
    globalThis.fetch = original
  }
}
