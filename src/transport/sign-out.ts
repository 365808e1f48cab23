import { TryRefreshTokenError, UnauthorizedError } from '../base/errors.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { TransferMode } from '../base/wire.ts'
import { parseRefreshToken } from '../tokens/refresh-token.ts'
import { bearerToken, cookieTokens, isOfTransferMode } from './credentials.ts'
import { crossSiteRequest, hasAntiCsrfProof, isProven } from './csrf.ts'
import { refuseIfSent } from './delivery.ts'
import type { HttpExchange, HttpRequest } from './exchange.ts'
import { getSession } from './get-session.ts'
import type { HttpContext } from './http-context.ts'
import { endImported } from './imports.ts'
import { findLeftovers } from './leftovers.ts'
import { refreshTokensInCookies } from './refresh-credentials.ts'
import { applyEdits, clearingEdits } from './tokens-reply.ts'

/** The sessions that the tokens of a request prove, and how they were sent. */
interface ProvenSessions {
  readonly channel: TransferMode
  readonly handles: readonly SessionHandle[]
}

/**
 * Revokes the session of a request and clears its tokens in the response. Unlike other calls, it accepts an access
 * token that has expired, or a refresh token alone: both prove which session it is, and the user must be able to leave.
 * With `?session=<handle>`, another session is not revoked. Returns whether the request had a session. 1 store call.
 */
export async function signOut<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  exchange: HttpExchange,
): Promise<boolean> {
  const { core, policy, current } = context
  const { request, reply } = exchange
  const changed = current.of(request)
  if (changed?.kind === 'none') return false
  if (changed?.source === 'created') {
    await changed.session.revokeSession()
    return true
  }
  const proven = await sessionsOf(context, request)
  const named = namedSession(request)
  if (proven === null) {
    // What was presented proves nothing; this finds the error for it.
    const session = await getSession(context, exchange, { csrf: true, required: false })
    if (named !== null && session !== null && session.getHandle() !== named) throw otherSession()
    await session?.revokeSession()
    return session !== null
  }
  const { channel, handles } = proven
  if (named !== null && !handles.some(handle => handle === named)) throw otherSession()
  await core.signOut(handles)
  await endImported(context, exchange, 'sign-out')
  refuseIfSent(reply)
  if (channel === 'cookie') applyEdits(reply, await findLeftovers(context, request))
  refuseIfSent(reply)
  applyEdits(reply, clearingEdits(policy.cookies, channel, { reason: 'signed-out', handles }))
  current.set(request, { kind: 'none' })
  return true
}

/**
 * The session that the client wants to leave; null if it does not say. A client that was offline sends its sign-out
 * later, when the user may have logged in again.
 */
function namedSession({ query }: HttpRequest): string | null {
  return query === '' ? null : new URLSearchParams(query).get('session') || null
}

function otherSession(): UnauthorizedError {
  return new UnauthorizedError('the request has the tokens of another session than the one to sign out')
}

/** The sessions of the tokens that Keyturn issued; null if there are none. As everywhere, a bearer token goes first. */
async function sessionsOf<Payload extends object, Info extends object>(
  context: HttpContext<Payload, Info>,
  request: HttpRequest,
): Promise<ProvenSessions | null> {
  const bearer = bearerToken(request)
  const handle = bearer === null ? null : await handleOfToken(context, bearer)
  if (handle !== null) {
    if (isOfTransferMode('header', handle)) return { channel: 'header', handles: [handle] }
    throw new UnauthorizedError('a token of a session in cookie mode was sent in the Authorization header')
  }
  const { core, policy } = context
  const texts = [
    ...cookieTokens(request, policy.cookies.accessToken).filter(text =>
      isOfTransferMode('cookie', core.decodeHandleUnverified(text))
    ),
    ...refreshTokensInCookies(core, policy, request).map(({ text }) => text),
  ]
  if (texts.length === 0) return null
  if (!isProven(request, policy)) throw crossSiteRequest(request, policy)
  const found = new Set<SessionHandle>()
  for (const text of texts) {
    const owner = await handleOfToken(context, text)
    if (owner !== null) found.add(owner)
  }
  if (found.size === 0) return null
  const handles: SessionHandle[] = []
  for (const owner of found) if (await hasAntiCsrfProof(request, policy, core, owner)) handles.push(owner)
  if (handles.length > 0) return { channel: 'cookie', handles }
  throw new TryRefreshTokenError('the request has no valid anti-CSRF header, which the option antiCsrf requires')
}

/** The session of a token, by its signature or its tag; null if it is not ours. */
async function handleOfToken<Payload extends object, Info extends object>(
  { core }: HttpContext<Payload, Info>,
  text: string,
): Promise<SessionHandle | null> {
  const refreshToken = parseRefreshToken(text)
  if (refreshToken !== null) return await core.ownerOfRefreshToken(text) === 'ours' ? refreshToken.handle : null
  return (await core.identify(text))?.claims.sid ?? null
}
