import { transferModeOf } from '../base/handle.ts'
import type { VerifyOptions } from '../session/core.ts'
import { macsOf, verifyAccessTokenOf } from './credentials.ts'
import type { AccessTokenResult } from './credentials.ts'
import type { HttpRequest } from './exchange.ts'
import type { HttpContext } from './http-context.ts'

/**
 * Verifies the access token of a request. If a call has changed the session of the request, that is the token of the
 * response. Otherwise, and for `proven`, see {@link verifyAccessTokenOf}.
 */
export async function verifyTokenOf<Payload extends object, Info extends object>(
  { core, policy, current }: HttpContext<Payload, Info>,
  request: HttpRequest,
  options: VerifyOptions,
  proven: boolean,
): Promise<AccessTokenResult<Payload>> {
  const changed = current.of(request)
  if (changed === undefined) {
    return verifyAccessTokenOf(core, policy, request, options, proven, macsOf(request, policy))
  }
  if (changed.kind === 'none') return { kind: 'none' }
  const { accessToken, claims } = changed.issued
  const channel = transferModeOf(claims.sid)
  if (!proven && channel === 'cookie' && changed.source !== 'created') return { kind: 'cross-site' }
  const outcome = await core.verify(accessToken, options)
  return outcome.kind === 'unrecognized'
    ? { kind: 'none' }
    : { kind: 'judged', channel, accessToken, outcome, duplicated: false }
}
