import type { RemovedExpired } from '../session/store.ts'

/**
 * Removes a part of each kind, one after the other, and adds up what they return. A kind that fails does not keep the
 * others from being removed: all are tried, then the first error is thrown.
 */
export async function removeEach(kinds: readonly (() => Promise<RemovedExpired>)[]): Promise<RemovedExpired> {
  const errors: unknown[] = []
  let removed = 0
  let more = false
  for (const remove of kinds) {
    try {
      const part = await remove()
      removed += part.removed
      more ||= part.more
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
  return { removed, more }
}
