import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import { REMOVAL_LIMIT } from '../session/store.ts'
import type { Removal } from '../session/store.ts'
import { batch } from './batch.ts'
import type { Batched } from './batch.ts'
import { groupsOf, shareRemoved } from './sql/share-removed.ts'
import type { RemovalCall } from './sql/share-removed.ts'

/** Removes sessions and appends one change. */
type Remove = (handles: readonly SessionHandle[], from: EpochMilliseconds) => Promise<Removal>

/**
 * Batches removals: those of one tick of the event loop share a transaction and a change, of at most {@link
 * REMOVAL_LIMIT} handles. One batch runs at a time, because the change log has one writer at a time. `removeFree`
 * removes like `remove`, but skips sessions that another transaction has locked: their callers wait for them alone. It
 * is `null` where no single session can be locked.
 */
export function batchRemovals(remove: Remove, removeFree: Remove | null): Batched<RemovalCall, Removal> {
  const removeAlone = ({ handles, from }: RemovalCall): Promise<Removal> => remove(handles, from)

  async function removeGroup(calls: readonly RemovalCall[]): Promise<readonly (Removal | Promise<Removal>)[]> {
    const handles = [...new Set(calls.flatMap(call => call.handles))]
    const removed = await (removeFree ?? remove)(handles, Math.max(...calls.map(({ from }) => from)))
    const gone = new Set(removed.handles)
    const left = new Set(removeFree === null ? [] : handles.filter(handle => !gone.has(handle)))
    return shareRemoved(calls, removed, left, removeAlone)
  }

  return batch(removeAlone, async calls => {
    const groups = groupsOf(calls, REMOVAL_LIMIT).map(async group => removeGroup(group))
    return (await Promise.all(groups)).flat()
  }, REMOVAL_LIMIT, 1)
}
