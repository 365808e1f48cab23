import { platformBase } from './address.ts'
import type { Client } from './client.ts'

/**
 * Replaces the global `fetch`, so that it carries the session in code that cannot use the client's. Relative addresses
 * are resolved by the platform's rules, not against `baseUrl`. Create the client first. Returns a function that
 * restores the original.
 */
export function patchFetch({ fetch }: Pick<Client<object>, 'fetch'>): () => void {
  if (typeof fetch !== 'function') throw new TypeError('the argument of patchFetch must be a client of createClient')
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
