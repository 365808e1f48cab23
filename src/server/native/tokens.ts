import { constantTimeEqual } from '../../base/constant-time.ts'
import type { SessionHandle } from '../../base/handle.ts'
import type { JsonObject } from '../../base/json.ts'
import { toEpochSeconds } from '../../base/time.ts'
import { isAlive, livenessAt } from '../../session/policy.ts'
import { hashSecret, parseRefreshToken } from '../../tokens/refresh-token.ts'
import type { RefreshToken } from '../../tokens/refresh-token.ts'
import type { App } from '../app.ts'
import { readMarks } from '../core-protocol/refresh-token.ts'
import { readToken, verifySession } from '../sessions.ts'

/** What a token is good for now (RFC 7662 section 2.2). A refresh token that was exchanged is good for nothing. */
export async function introspect(app: App, text: string): Promise<JsonObject> {
  const access = await verifySession(app, text, { antiCsrf: null, checkDatabase: true, reissues: false })
  if (access.kind === 'active') {
    const { claims, payload } = access.token
    return {
      active: true, token_type: 'access_token', sub: claims.userId, sid: claims.handle, tid: access.session.tenantId,
      iat: claims.issuedAt, exp: claims.expiresAt, payload,
      ...typeof payload['iss'] === 'string' ? { iss: payload['iss'] } : {},
    }
  }
  const refresh = await readRefreshToken(app, text)
  const record = refresh === null ? null : await app.store.find(refresh.handle)
  const bounds = livenessAt(app.clock(), app.policy)
  if (refresh === null || record === null || !isAlive(record, bounds)) return { active: false }
  if (!constantTimeEqual(await hashSecret(app.crypto, refresh.secret), record.refreshHash)) return { active: false }
  return {
    active: true, token_type: 'refresh_token', sub: record.userId, sid: record.handle, tid: record.tenantId,
    iat: toEpochSeconds(record.rotatedAt), exp: toEpochSeconds(record.expiresAt),
  }
}

/** Whose session a genuine token is, access or refresh, expired or exchanged though it may be; null for other texts. */
export async function sessionOf(app: App, text: string): Promise<SessionHandle | null> {
  const access = await readToken(app, text)
  return access?.claims.handle ?? (await readRefreshToken(app, text))?.handle ?? null
}

async function readRefreshToken(app: App, text: string): Promise<RefreshToken | null> {
  const token = parseRefreshToken(readMarks(text).token)
  const key = token === null ? null : (await app.keys.current()).refreshKey(token.kid)
  return token !== null && key !== null && await key.isGenuine(token) === true ? token : null
}
