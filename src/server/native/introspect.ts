import { constantTimeEqual } from '../../base/constant-time.ts'
import { parseHandle } from '../../base/handle.ts'
import type { SessionHandle } from '../../base/handle.ts'
import type { JsonObject } from '../../base/json.ts'
import { toEpochSeconds } from '../../base/time.ts'
import { isActive, activeBounds } from '../../session/policy.ts'
import { hashSecret, parseRefreshToken } from '../../tokens/refresh-token.ts'
import type { Application } from '../application.ts'
import { readMarks } from '../cdi/refresh-token-marks.ts'

const inactive: JsonObject = { active: false }

/**
 * Introspects a token (RFC 7662 section 2.2). A refresh token that was exchanged is inactive. So is any token if the
 * anti-CSRF token that comes with it does not belong to its session.
 */
export async function introspect(app: Application, text: string, antiCsrfToken: string | null): Promise<JsonObject> {
  const answer = await introspectAccessToken(app, text) ?? await introspectRefreshToken(app, text)
  if (answer === null) return inactive
  const handle = parseHandle(String(answer['sid']))
  const matches = antiCsrfToken === null || (handle !== null && await app.native.isAntiCsrfToken(handle, antiCsrfToken))
  return matches ? answer : inactive
}

/** The session of an access or refresh token, even if it is expired or was exchanged; null for unrecognized tokens. */
export async function introspectedSession(app: Application, text: string): Promise<SessionHandle | null> {
  const access = await app.native.identify(text) ?? await app.core.identify(text)
  return access?.claims.sid ?? await handleOfRefreshToken(app, text)
}

/** The session of a refresh token with a valid tag; null for any other text. */
async function handleOfRefreshToken(app: Application, text: string): Promise<SessionHandle | null> {
  const token = parseRefreshToken(readMarks(text).token)
  return token !== null && await app.native.ownerOfRefreshToken(text) === 'ours' ? token.handle : null
}

async function introspectAccessToken({ native, core }: Application, text: string): Promise<JsonObject | null> {
  const found = await native.verify(text, { blacklisting: 'strict' })
  if (found.kind === 'active') {
    const { iss, aud, sub, sid, tid, iat, exp, auth_time } = found.claims
    const audience = aud === undefined ? {} : { aud: typeof aud === 'string' ? aud : [...aud] }
    return {
      active: true, token_type: 'access_token', sub, sid, tid, iss, ...audience, iat, exp, auth_time,
      payload: found.payload,
    }
  }
  const other = await core.verify(text, { blacklisting: 'strict' })
  if (other.kind !== 'active') return null
  const { claims: { sub, sid, tid, iat, exp, auth_time }, payload } = other
  const issuer = typeof payload['iss'] === 'string' ? { iss: payload['iss'] } : {}
  return { active: true, token_type: 'access_token', sub, sid, tid, ...issuer, iat, exp, auth_time, payload }
}

async function introspectRefreshToken(app: Application, text: string): Promise<JsonObject | null> {
  const handle = await handleOfRefreshToken(app, text)
  const secret = parseRefreshToken(readMarks(text).token)?.secret
  const record = handle === null ? null : await app.store.find(handle)
  if (record === null || secret === undefined || !isActive(record, activeBounds(app.clock(), app.policy))) return null
  if (!constantTimeEqual(await hashSecret(app.crypto, secret), record.refreshHash)) return null
  return {
    active: true, token_type: 'refresh_token', sub: record.userId, sid: record.handle, tid: record.tenantId,
    iat: toEpochSeconds(record.rotatedAt), exp: toEpochSeconds(record.expiresAt),
  }
}
