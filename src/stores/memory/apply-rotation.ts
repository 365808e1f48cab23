import { mayRotate } from '../../session/decide-refresh.ts'
import type { LineagePlace } from '../../session/decide-refresh.ts'
import { expiryOf, isAlive } from '../../session/policy.ts'
import type { SessionRecord } from '../../session/record.ts'
import type { PresentedState, Rotation, TokenState } from '../../session/store.ts'

/** The record after a rotation; null if it is not as the rotation expects. Pure. */
export function applyRotation(record: SessionRecord, { expected, alive, next }: Rotation): SessionRecord | null {
  const isExpected = expected.confirmed === undefined
    ? hasToken(record, expected) && mayRotate(record, alive.now)
    : isUnchanged(record, expected)
  if (!isExpected || !isAlive(record, alive)) return null
  return { ...record, ...next, expiresAt: expiryOf(next.rotatedAt, record) }
}

/** The record after a confirmation; the same one if the current token is another. Pure. */
export function applyConfirmation(record: SessionRecord, { generation, branch }: LineagePlace): SessionRecord {
  return record.generation === generation && record.branch === branch ? { ...record, confirmed: true } : record
}

/** Whether nothing of the record's token has changed. Pure. */
export function isUnchanged(record: SessionRecord, state: TokenState): boolean {
  return hasToken(record, state) && record.confirmed === state.confirmed
    && record.rotatedAt === state.rotatedAt && record.servedAt === state.servedAt
}

function hasToken(record: SessionRecord, token: PresentedState | TokenState): boolean {
  return record.refreshHash === token.refreshHash && record.anchorHash === token.anchorHash
    && record.generation === token.generation && record.branch === token.branch
}
