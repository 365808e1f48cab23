import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import { REMOVAL_LIMIT } from '../session/store.ts'
import type { Removal } from '../session/store.ts'
import { batch } from './batch.ts'
import type { Batched } from './batch.ts'

/** One call of `SessionStore.remove`. */
interface RemovalCall {
  readonly handles: readonly SessionHandle[]
  readonly from: EpochMilliseconds
}

/** Removes sessions and appends one change. */
type Remove = (handles: readonly SessionHandle[], from: EpochMilliseconds) => Promise<Removal>

/**
 * Batches removals: those of one tick of the event loop share a transaction and a change, of at most {@link
 * REMOVAL_LIMIT} handles. Each caller gets its own handles; of callers that name the same session, one gets it.
 * `skipLocked` removes like `remove`, but skips sessions that another transaction has locked: their callers wait for
 * them alone. Without it, `remove` is used for all.
 */
export function batchRemovals(remove: Remove, skipLocked: Remove | null = null): Batched<RemovalCall, Removal> {
  /** Removes the sessions of several calls with one change. */
  function removeShared(calls: readonly RemovalCall[]): readonly Promise<Removal>[] {
    const owners = new Map(calls.toReversed().flatMap(call => call.handles.map(handle => [handle, call] as const)))
    const shared = (skipLocked ?? remove)([...owners.keys()], Math.max(...calls.map(({ from }) => from)))
    return calls.map(async call => {
      const { handles, until } = await shared
      const own = handles.filter(handle => owners.get(handle) === call)
      const rest = skipLocked === null
        ? []
        : call.handles.filter(handle => owners.get(handle) === call && !own.includes(handle))
      if (rest.length === 0) return { handles: own, until }
      const late = await remove(rest, call.from)
      return { handles: [...own, ...late.handles], until: Math.max(until, late.until) }
    })
  }

  return batch(({ handles, from }) => remove(handles, from), async calls => inParts(calls).flatMap(removeShared))
}

/** Splits calls into groups that name at most {@link REMOVAL_LIMIT} sessions each. */
function inParts(calls: readonly RemovalCall[]): readonly (readonly RemovalCall[])[] {
  const parts: RemovalCall[][] = []
  let size = REMOVAL_LIMIT
  for (const call of calls) {
    size += call.handles.length
    const part = parts.at(-1)
    if (part !== undefined && size <= REMOVAL_LIMIT) {
      part.push(call)
    } else {
      parts.push([call])
      size = call.handles.length
    }
  }
  return parts
}
