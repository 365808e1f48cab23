import type { SessionRecord } from '../../session/record.ts'
import type { Rotation } from '../../session/store.ts'
import { readHandle } from './row.ts'
import type { Row } from './row.ts'
import { rotatedSessionFromRow } from './session-row.ts'

/**
 * Rotates sessions of which none is named twice, but none that somebody else has locked. The handles and kept columns
 * of those that it did rotate.
 */
export type RotateTogether = (rotations: readonly Rotation[]) => Promise<readonly Row[]>

/**
 * Rotates many sessions with one statement. What that did not rotate goes by itself: nobody waits for the row of
 * somebody else's session, and of two rotations of the same one the second must see what the first has written.
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
