import type { EpochMilliseconds } from '../base/time.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import type { TokenClaims, TokenStyle } from '../tokens/token-format.ts'
import type { IssuedSession } from './core.ts'
import { decideReauthentication } from './decide-reauthentication.ts'
import type { CoreParts, Engine } from './engine.ts'
import { issue } from './issue.ts'
import { getActive } from './manage.ts'
import { newLineage } from './new-lineage.ts'
import { activeBounds } from './policy.ts'
import type { ClientInfo, SessionRecord } from './record.ts'
import { ATTEMPTS, busyRecord, busyUntil, stateOf } from './token-state.ts'

/**
 * Begins a new lineage of refresh tokens in the session of an access token, because its user has proved again who they
 * are: with a new secret and a new anchor, both random. Handle, JWT payload and session data stay.
 * @throws SessionNotFoundError if the session does not exist, has expired or was revoked.
 * @throws GeneralError (`REFRESH_BUSY`) if another re-authentication of the session has just ended the lineage of the
 * access token: its response may still be on the way to the client.
 */
export async function reauthenticate<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  parts: CoreParts<Payload, Info, Style, Claims>,
  claims: Claims,
  client: ClientInfo,
  style: Style,
): Promise<IssuedSession<Payload, Claims>> {
  const [ring, now] = await Promise.all([parts.keys.current(), parts.now()])
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const begun = await begin(parts, ring, await getActive(parts, claims.sid), claims, client, now)
    if (begun === null) continue
    const { record, refreshToken } = begun
    const issued = await issue(parts, ring, record, { refreshToken, presented: null }, style, now)
    parts.emit('onSessionReauthenticated', { userId: record.userId, handle: record.handle })
    return issued
  }
  throw busyRecord()
}

/** Decides by the record and begins the new lineage; null if the record was changed in the meantime. */
async function begin(
  engine: Engine,
  ring: KeyRing,
  known: SessionRecord,
  claims: TokenClaims,
  client: ClientInfo,
  now: EpochMilliseconds,
): Promise<{ readonly record: SessionRecord; readonly refreshToken: string } | null> {
  const decision = decideReauthentication(known, claims, now)
  if (decision.kind === 'busy') throw busyUntil(decision.until, now)
  const { refreshToken, fields } = await newLineage(engine, ring, known.handle, decision, now)
  const record = await engine.store.reauthenticate({
    handle: known.handle,
    expected: stateOf(known),
    bounds: activeBounds(now, engine.policy),
    next: { ...fields, client },
  })
  return record && { record, refreshToken }
}
