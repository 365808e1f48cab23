import type { SessionHandle } from '../../base/handle.ts'
import type { SessionRecord } from '../../session/record.ts'
import type { Rotation } from '../../session/store.ts'

/** Rotates sessions of which none is named twice, but none that somebody else has locked. The new records, by handle. */
export type RotateTogether = (rotations: readonly Rotation[]) => Promise<ReadonlyMap<SessionHandle, SessionRecord>>

/**
 * Rotates many sessions with one statement. What that did not rotate goes by itself: nobody waits for a row that another
 * one's session has locked, and of two rotations of the same session the second must see what the first has written.
 */
export async function rotateAll(
  rotations: readonly Rotation[],
  together: RotateTogether,
  one: (rotation: Rotation) => Promise<SessionRecord | null>,
): Promise<(SessionRecord | Promise<SessionRecord | null>)[]> {
  const firsts = new Map(rotations.toReversed().map(rotation => [rotation.handle, rotation]))
  const rotated = await together([...firsts.values()])
  return rotations.map(rotation => (
    firsts.get(rotation.handle) === rotation ? rotated.get(rotation.handle) ?? one(rotation) : one(rotation)
  ))
}
