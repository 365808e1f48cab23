import { TokenTheftDetectedError, UnauthorizedError } from '../base/errors.ts'
import type { TransferMode } from '../base/wire.ts'
import type { RefreshOutcome } from '../session/core.ts'
import { hasAntiCsrfProof, refuseUntrustedOrigin, requireTrustedOrigin } from './csrf.ts'
import { requireUnsent } from './delivery.ts'
import type { HttpExchange, HttpRequest } from './exchange.ts'
import type { HttpContext } from './http-context.ts'
import { findUnknownProxy } from './find-misconfiguration.ts'
import { takeOver } from './imports.ts'
import { findLeftovers } from './leftovers.ts'
import { findRefreshToken, tokensOfOneSession } from './refresh-credentials.ts'
import type { PresentedRefreshToken } from './refresh-credentials.ts'
import { sendPair } from './send-pair.ts'
import type { SentPair } from './send-pair.ts'
import type { Session } from './session.ts'
import { noSessionEdits, applyEdits, clearingEdits } from './tokens-reply.ts'

/**
 * Exchanges the refresh token of a request. If that fails, clears the cookies only if they can never be used again, and
 * only if the request is proven to come from a trusted page (CSRF-15). So no other site can log a user out.
 */
export async function refreshSession<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
): Promise<Session<Payload, Info>> {
  const { core, policy, current } = context
  const { request, reply } = exchange
  requireUnsent(reply)
  context.routes.served = true
  findUnknownProxy(request, policy)
  const changed = current.of(request)
  if (changed?.kind === 'none') throw new UnauthorizedError('the session of this request was revoked')
  if (changed?.source === 'created') return changed.session
  const presented = findRefreshToken(core, policy, request)
  if (presented.kind === 'none') {
    const taken = await takeOver(context, exchange, 'refresh')
    if (taken !== null) return taken.session
    refuseUntrustedOrigin(request, policy)
    applyEdits(reply, noSessionEdits())
    throw new UnauthorizedError('the request has no refresh token')
  }

  const { channel } = presented
  if (channel === 'cookie') requireTrustedOrigin(request, policy)
  const tokens = await tokensOfOneSession(core, presented.tokens)
  if (tokens === null) {
    applyEdits(reply, await findLeftovers(context, request))
    throw new UnauthorizedError('the request has refresh tokens of several sessions')
  }
  const [first] = tokens
  if (channel === 'cookie' && first !== undefined) {
    if (await hasAntiCsrfProof(request, policy, core, first.token.handle) !== true) {
      throw new UnauthorizedError('the request has no valid anti-CSRF header, which the option antiCsrf requires')
    }
  }

  // The client does not have the new refresh token yet, so there is nothing to rotate.
  if (changed?.source === 'refreshed') return changed.session
  const outcome = await exchangeRefreshToken(context, exchange, channel, tokens)
  switch (outcome.kind) {
    case 'refreshed':
      return outcome.session
    case 'unauthorized':
      if (outcome.ended === false) applyEdits(reply, noSessionEdits())
      throw new UnauthorizedError('the refresh token is invalid, or its session has expired or was revoked')
    case 'theft':
      throw new TokenTheftDetectedError(outcome.userId, outcome.handle)
  }
}

/** The result of {@link exchangeRefreshToken}. */
export type Exchanged<Payload extends object, Info extends object> =
  | Exclude<RefreshOutcome<Payload>, { readonly kind: 'refreshed' }>
  | { readonly kind: 'refreshed' } & SentPair<Payload, Info>

/**
 * Exchanges a refresh token of a request that was checked. Sends the client the next pair of tokens, or clears its
 * tokens if they can never be used again. If the response was sent meanwhile, throws and revokes nothing: the client
 * repeats the refresh, and gets the same child.
 */
export async function exchangeRefreshToken<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
  channel: TransferMode,
  tokens: readonly PresentedRefreshToken[],
): Promise<Exchanged<Payload, Info>> {
  const { policy, current } = context
  const { request, reply } = exchange
  const outcome = await refreshFirstRecognized(context, tokens, channel, request)
  if (outcome.kind === 'unauthorized' && outcome.ended === false) return outcome
  const leftovers = channel === 'cookie' ? await findLeftovers(context, request) : null
  if (outcome.kind === 'refreshed') {
    const sent = await sendPair(context, exchange, channel, outcome.issued, leftovers)
    return { kind: 'refreshed', ...sent }
  }
  if (leftovers !== null) applyEdits(reply, leftovers)
  const reason = outcome.kind === 'theft' ? 'theft' : outcome.ended
  const handles = tokens.slice(0, 1).map(({ token }) => token.handle)
  applyEdits(reply, clearingEdits(policy.cookies, channel, { reason, handles }))
  current.set(request, { kind: 'none' })
  return outcome
}

/** Skips tokens that Keyturn did not issue; the first recognized one decides. */
async function refreshFirstRecognized<Payload extends object, Info extends object>(
  { core }: HttpContext<Payload, Info>,
  tokens: readonly PresentedRefreshToken[],
  channel: TransferMode,
  { client }: HttpRequest,
): Promise<RefreshOutcome<Payload>> {
  let outcome: RefreshOutcome<Payload> = { kind: 'unauthorized', ended: false }
  for (const { text } of tokens) {
    outcome = await core.refresh(text, channel, client)
    if (outcome.kind !== 'unauthorized' || outcome.ended) break
  }
  return outcome
}
