import { isSessionError } from '../base/errors.ts'
import type { TransferMode } from '../base/wire.ts'
import type { TokenClaims, TokenStyle } from '../tokens/token-format.ts'
import type { RefreshOutcome } from './core.ts'
import type { CoreParts } from './engine.ts'
import { issue } from './issue.ts'
import type { ClientInfo } from './record.ts'
import { rotate } from './rotate.ts'

/** Exchanges a refresh token for the next pair, and measures how long that takes. */
export async function refresh<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  parts: CoreParts<Payload, Info, Style, Claims>,
  text: string,
  channel: TransferMode | null,
  client: ClientInfo,
  style: Style,
): Promise<RefreshOutcome<Payload, Claims>> {
  const startedAt = performance.now()
  let result = 'failed'
  try {
    const outcome = await rotate(parts, parts.format.refreshTokenIn(text), channel, client)
    if (outcome.kind !== 'rotated') {
      result = outcome.kind
      return outcome
    }
    const { how, record, refreshToken, ring, now } = outcome
    const issued = await issue(parts, ring, record, { refreshToken, presented: text }, style, now)
    parts.emit('onSessionRefreshed', { userId: record.userId, handle: record.handle, how })
    result = 'refreshed'
    return { kind: 'refreshed', how, issued }
  } catch (error) {
    if (isSessionError(error) && error.code === 'REFRESH_BUSY') result = 'busy'
    throw error
  } finally {
    parts.tally.duration('keyturn.refresh.duration', { result }).since(startedAt)
  }
}
