import type { SessionHandle } from '../../base/handle.ts'
import type { SessionRecord } from '../../session/record.ts'
import type { Rotation } from '../../session/store.ts'

/** Rotates sessions of which none is named twice. Those that it did rotate, by their handles. */
export type RotateTogether = (rotations: readonly Rotation[]) => Promise<ReadonlyMap<SessionHandle, SessionRecord>>

/**
 * Rotates many sessions with one statement. Of two rotations of the same session the second goes by itself afterwards:
 * one statement would show the same hash to both.
 */
export async function rotateAll(
  rotations: readonly Rotation[],
  together: RotateTogether,
  one: (rotation: Rotation) => Promise<SessionRecord | null>,
): Promise<(SessionRecord | null | Promise<SessionRecord | null>)[]> {
  const firsts = new Map(rotations.toReversed().map(rotation => [rotation.handle, rotation]))
  const rotated = await together([...firsts.values()])
  return rotations.map(rotation => (
    firsts.get(rotation.handle) === rotation ? rotated.get(rotation.handle) ?? null : one(rotation)
  ))
}
