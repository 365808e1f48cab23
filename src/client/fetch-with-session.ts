import * as wire from '../base/wire.ts'
import type { Fetch } from './environment.ts'
import type { Exchanges } from './exchange.ts'
import { messageOf } from './server-reply.ts'
import type { ServerReply } from './server-reply.ts'
import { repeatable, requestOf } from './repeatable.ts'
import type { FetchArguments } from './repeatable.ts'
import { platformBase } from './address.ts'
import type { Client } from './client.ts'

/**
 * Creates a `fetch` that sends the session to its server, refreshes it when needed, and repeats a refused request once.
 * Requests to other origins and requests with their own credentials pass through unchanged. The address is resolved
 * once, against the client's `baseUrl`, so that the address that is checked is the one that is sent.
 */
export function createFetch(env: { readonly fetch: Fetch }, exchanges: Exchanges): Fetch {
  return async (input, init) => {
    const given = requestOf(input)
    const url = exchanges.resolve(given?.url ?? String(input))
    // Polyfills keep a relative address in a request.
    const request = given && url !== null && given.url !== url ? new Request(url, given) : given
    const target = request ?? url
    const headers = new Headers(init?.headers ?? request?.headers)
    const isCookie = exchanges.mode === 'cookie'
    // A service worker cannot rewrite a navigation, nor what a page loads without CORS, such as a video's `Range`.
    const isFixed = headers.has(wire.authMode) || request?.destination || request?.mode === 'no-cors'
      || (isCookie ? (init?.credentials ?? request?.credentials) === 'omit' : headers.has(wire.authorization))
    if (target === null || url === null || isFixed || !exchanges.isOurs(url)) return env.fetch(target ?? input, init)

    const exchange = await exchanges.begin({
      url,
      signal: init?.signal ?? request?.signal,
      urgent: init?.keepalive ?? request?.keepalive,
    })
    const attempt = ([input, init]: FetchArguments): Promise<Response> => {
      if (!headers.has(wire.customHeader)) headers.set(wire.customHeader, 'anti-csrf')
      for (const [name, value] of exchange.headers()) headers.set(name, value)
      return env.fetch(input, { ...init, headers, ...isCookie && { credentials: 'include' } })
    }
    const [first, again] = repeatable(target, init, exchange.mayRepeat())
    const response = await attempt(first)
    if (!await exchange.answered(replyOf(response), again !== null) || again === null) return response
    const repeated = await attempt(again)
    await exchange.answered(replyOf(repeated), false)
    return repeated
  }
}

function replyOf(response: Response): ServerReply {
  const { status, url, headers } = response
  return { status, url, headers, message: () => messageOf(response.clone()) }
}

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
