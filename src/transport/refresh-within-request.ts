import { mayRefreshBeforeRender } from './csrf.ts'
import type { HttpExchange } from './exchange.ts'
import type { HttpContext } from './http-context.ts'
import { findRefreshToken, tokensOfOneSession } from './refresh-credentials.ts'
import { exchangeRefreshToken } from './refresh-session.ts'
import type { Exchanged } from './refresh-session.ts'

/**
 * Exchanges the refresh token of any request, and writes the next pair to its response: for pages, which cannot refresh
 * by themselves. Null if the request has no refresh token in a cookie, or if another site may have caused it. Parallel
 * requests with the same token get the same next one. 1 store call.
 */
export async function refreshWithinRequest<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
): Promise<Exchanged<Payload, Info> | null> {
  const { core, policy } = context
  const { request } = exchange
  const refresh = findRefreshToken(core, policy, request)
  if (refresh.kind === 'none' || refresh.channel === 'header') return null
  const tokens = await tokensOfOneSession(core, refresh.tokens) ?? []
  const [first] = tokens
  if (first === undefined || !await mayRefreshBeforeRender(request, policy, core, first.token.handle)) return null
  return exchangeRefreshToken(context, exchange, refresh.channel, tokens)
}
