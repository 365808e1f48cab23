import { TokenTheftDetectedError, UnauthorizedError } from '../base/errors.ts'
import type { TransferMode } from '../base/wire.ts'
import type { RefreshOutcome } from '../session/core.ts'
import { cookieTokens } from './credentials.ts'
import { hasAntiCsrfProof, refuseForeign, refuseUnproven } from './csrf.ts'
import type { HttpExchange, HttpRequest } from './exchange.ts'
import type { HttpContext } from './http-context.ts'
import { findRefreshToken } from './refresh-credentials.ts'
import { RequestSession } from './session-object.ts'
import type { Session } from './session.ts'
import { absenceEdits, applyEdits, clearingEdits, sessionEdits, strayEdits } from './tokens-reply.ts'

/**
 * Exchanges the refresh token of a request. A refusal clears cookies only if they can never work again, and
 * only after the request proved where it came from (CSRF-15): nobody is logged out by another site or by accident.
 */
export async function refreshSession<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  { request, reply }: HttpExchange,
): Promise<Session<Payload, Info>> {
  const { core, policy } = context
  const presented = findRefreshToken(core, policy, request)
  if (presented.kind === 'none') {
    refuseForeign(request, policy)
    applyEdits(reply, absenceEdits())
    throw new UnauthorizedError('the request carries no refresh token')
  }
  if (presented.kind === 'ambiguous') {
    refuseUnproven(request, policy)
    applyEdits(reply, strayEdits(policy.cookies))
    throw new UnauthorizedError('the request carries the refresh tokens of several sessions')
  }

  const { channel, handle } = presented
  if (channel === 'cookie') {
    refuseUnproven(request, policy)
    if (!await hasAntiCsrfProof(request, policy, core, handle)) {
      throw new UnauthorizedError('the request lacks its anti-CSRF proof')
    }
  }

  const outcome = await refreshFirstGenuine(context, presented.refreshTokens, channel, request)
  if (presented.duplicated) applyEdits(reply, strayEdits(policy.cookies))
  switch (outcome.kind) {
    case 'refreshed': {
      const { issued } = outcome
      const isGuarded = channel === 'cookie' && policy.antiCsrf === 'token'
      const antiCsrf = isGuarded ? await core.createAntiCsrfToken(handle) : null
      const edits = sessionEdits(policy.cookies, channel, issued, antiCsrf)
      if (channel === 'header' && cookieTokens(request, policy.cookies.refreshToken).length > 0) {
        applyEdits(reply, clearingEdits(policy.cookies, 'cookie'))
      }
      applyEdits(reply, edits)
      return new RequestSession(context, reply, issued)
    }
    case 'unauthorized':
      applyEdits(reply, outcome.ended ? clearingEdits(policy.cookies, channel) : absenceEdits())
      throw new UnauthorizedError('the refresh token can not be used')
    case 'theft':
      applyEdits(reply, clearingEdits(policy.cookies, channel))
      throw new TokenTheftDetectedError(outcome.userId, outcome.handle)
  }
}

/** Passes over tokens that we never issued; the first genuine one decides. */
async function refreshFirstGenuine<Payload extends object, Info extends object>(
  { core }: HttpContext<Payload, Info>,
  refreshTokens: readonly string[],
  channel: TransferMode,
  { client }: HttpRequest,
): Promise<RefreshOutcome<Payload>> {
  let outcome: RefreshOutcome<Payload> = { kind: 'unauthorized', ended: false }
  for (const refreshToken of refreshTokens) {
    outcome = await core.refresh(refreshToken, channel, client)
    if (outcome.kind !== 'unauthorized' || outcome.ended) break
  }
  return outcome
}
