import { outsideRequests } from '../../base/outside-requests.ts'

/**
 * Does the work at the first call only, or again after it failed. All calls share its result, so it runs outside of any
 * request.
 */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | null = null
  return () => {
    result ??= outsideRequests(() => work().catch((error: unknown) => {
      result = null
      throw error
    }))
    return result
  }
}
