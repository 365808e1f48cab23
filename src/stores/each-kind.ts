import type { RemovedExpired } from '../session/store.ts'

/**
 * Removes what has expired of each kind. A kind that fails does not prevent the others: the first error is thrown when
 * all of them have been tried.
 */
export async function removeEachKind(kinds: readonly (() => Promise<RemovedExpired>)[]): Promise<RemovedExpired> {
  const failures: unknown[] = []
  let removed = 0
  let more = false
  for (const remove of kinds) {
    try {
      const part = await remove()
      removed += part.removed
      more ||= part.more
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
  return { removed, more }
}
