import type { SessionHandle } from '../../src/base/handle.ts'
import type { Rotation, TokenState } from '../../src/session/store.ts'
import { now, activeBatch, recordOf } from './rows.ts'

/** A prime: its multiples visit all users of a power of ten. */
const STRIDE = 7919

/** A function from 0, 1, 2 ... to the numbers of sessions: ten of one user, then ten of another one far away. */
export function sessionsInTurn(size: number): (index: number) => number {
  const users = size / 10
  return index => {
    if (index >= size) throw new Error(`there are only ${size} sessions`)
    return Math.floor(index / 10) * STRIDE % users * 10 + index % 10
  }
}

const loaded = recordOf(activeBatch(1), 0)

/** The hash of the refresh token after this many rotations. */
const hashAt = (generation: number): string => generation === 0 ? loaded.refreshHash : `${generation}`.padStart(43, 'r')

/** A rotation of a session that was rotated this often by this function. */
export function rotationFrom(handle: SessionHandle, generation: number): Rotation {
  const { anchorHash, branch } = loaded
  const presented = { refreshHash: hashAt(generation), anchorHash, generation, branch }
  const state: TokenState = { ...presented, confirmed: false, rotatedAt: now, servedAt: now }
  return {
    handle,
    expected: generation === 0 ? presented : state,
    bounds: { now, rotatedAfter: 0, createdAfter: 0 },
    next: {
      refreshHash: hashAt(generation + 1),
      refreshKeyId: loaded.refreshKeyId,
      generation: generation + 1,
      branch: 0,
      confirmed: false,
      rotatedAt: now,
      servedAt: now,
      client: loaded.client,
    },
  }
}
