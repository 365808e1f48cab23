import type { SessionRecord } from '../../session/record.ts'
import type { Rotation } from '../../session/store.ts'
import { readHandle } from './row.ts'
import type { Row } from './row.ts'
import { rotatedSessionFromRow } from './session-row.ts'

/**
 * Rotates sessions, none of which is named twice. Skips sessions that another transaction has locked. Returns the
 * handles and kept columns of the sessions that it rotated.
 */
export type RotateTogether = (rotations: readonly Rotation[]) => Promise<readonly Row[]>

/**
 * Rotates many sessions with one statement. Sessions that this statement skips are rotated one by one: no caller waits
 * for the row lock of another session, and of two rotations of one session the second must see what the first has
 * written.
 */
export async function rotateAll(
  rotations: readonly Rotation[],
  together: RotateTogether,
  one: (rotation: Rotation) => Promise<SessionRecord | null>,
): Promise<(SessionRecord | Promise<SessionRecord | null>)[]> {
  const firsts = new Map(rotations.toReversed().map(rotation => [rotation.handle, rotation]))
  const rows = new Map((await together([...firsts.values()])).map(row => [readHandle(row, 'handle'), row]))
  return rotations.map(rotation => {
    const row = firsts.get(rotation.handle) === rotation ? rows.get(rotation.handle) : undefined
    return row === undefined ? one(rotation) : rotatedSessionFromRow(rotation, row)
  })
}
