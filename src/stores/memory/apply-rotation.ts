import { mayRotate } from '../../session/decide-refresh.ts'
import type { LineagePlace } from '../../session/decide-refresh.ts'
import { expiryOf, isAlive } from '../../session/policy.ts'
import type { SessionRecord } from '../../session/record.ts'
import type { PresentedState, Rotation, TokenState } from '../../session/store.ts'

/** The record after a rotation; null if it is not as the rotation expects. Pure. */
export function applyRotation(record: SessionRecord, { expected, alive, next }: Rotation): SessionRecord | null {
  if (!isAlive(record, alive) || !isInState(record, expected, alive.now)) return null
  return { ...record, ...next, expiresAt: expiryOf(next.rotatedAt, record) }
}

/** The record after a confirmation; the same one if the current token is another. Pure. */
export function applyConfirmation(record: SessionRecord, { generation, branch }: LineagePlace): SessionRecord {
  return record.generation === generation && record.branch === branch ? { ...record, confirmed: true } : record
}

/** Whether the record's token is in the state. Pure. */
export function isInState(record: SessionRecord, state: PresentedState | TokenState, now: number): boolean {
  if (record.refreshHash !== state.refreshHash || record.anchorHash !== state.anchorHash) return false
  if (record.generation !== state.generation || record.branch !== state.branch) return false
  if (state.confirmed === undefined) return mayRotate(record, now)
  return record.confirmed === state.confirmed && record.rotatedAt === state.rotatedAt
    && record.servedAt === state.servedAt
}
