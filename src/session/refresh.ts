import type { TransferMode } from '../base/wire.ts'
import type { RefreshOutcome } from './core.ts'
import type { Internals } from './internals.ts'
import { issueAccessToken } from './issue.ts'
import type { ClientInfo } from './record.ts'
import { rotate } from './rotate.ts'

/** Exchanges a refresh token for the next pair. */
export async function refresh<Payload extends object, Info extends object>(
  internals: Internals<Payload, Info>,
  text: string,
  channel: TransferMode,
  client: ClientInfo,
): Promise<RefreshOutcome<Payload>> {
  const outcome = await rotate(internals, text, channel, client)
  if (outcome.kind === 'unauthorized') return outcome
  if (outcome.kind === 'theft') return { kind: 'theft', userId: outcome.userId, handle: outcome.handle }
  const { how, record, refreshToken, ring, now } = outcome
  const access = await issueAccessToken(internals, ring, record, now)
  internals.emit('onSessionRefreshed', { userId: record.userId, handle: record.handle, how })
  return { kind: 'refreshed', how, issued: { ...access, refreshToken, sessionExpiresAt: record.expiresAt } }
}
