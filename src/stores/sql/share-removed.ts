import type { SessionHandle } from '../../base/handle.ts'
import type { EpochMilliseconds } from '../../base/time.ts'
import type { Removal } from '../../session/store.ts'

/** A call of `remove` that shares a statement with others. */
export interface RemovalCall {
  readonly handles: readonly SessionHandle[]
  readonly from: EpochMilliseconds
}

/** Divides calls into groups that name at most `most` sessions, in their order. A call alone may name as many. Pure. */
export function groupsOf(calls: readonly RemovalCall[], most: number): readonly (readonly RemovalCall[])[] {
  const groups: RemovalCall[][] = []
  let size = most
  for (const call of calls) {
    size += call.handles.length
    if (size > most) {
      groups.push([])
      size = call.handles.length
    }
    groups.at(-1)?.push(call)
  }
  return groups
}

/**
 * Gives each call its part of what one statement removed. Of calls that name the same session, the first gets it. The
 * sessions that the statement found locked are then removed alone, by `alone`, which is given a call that names these
 * only.
 */
export function shareRemoved(
  calls: readonly RemovalCall[],
  removed: Removal,
  locked: ReadonlySet<SessionHandle>,
  alone: (call: RemovalCall) => Promise<Removal>,
): (Removal | Promise<Removal>)[] {
  const { until } = removed
  const left = new Set(removed.handles)
  return calls.map(({ handles, from }) => {
    const own = handles.filter(handle => left.delete(handle))
    const waiting = handles.filter(handle => locked.has(handle))
    if (waiting.length === 0) return { handles: own, until }
    return alone({ handles: waiting, from }).then(later => ({
      handles: [...own, ...later.handles],
      until: later.handles.length === 0 ? until : Math.max(until, later.until),
    }))
  })
}
