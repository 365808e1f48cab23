import { outsideRequests } from '../../base/outside-requests.ts'
import { mayShareWork } from '../../base/shared-work.ts'

/**
 * Does the work at the first call only, or again after it failed. All calls share its result, so it runs outside of any
 * request. If work may not be shared (`mayShareWork`), each call does it until one has done it.
 */
export function once<T>(work: () => Promise<T>, isShared: boolean = mayShareWork): () => Promise<T> {
  let result: Promise<T> | null = null
  let done: { readonly value: T } | null = null
  if (!isShared) return async () => (done ??= { value: await work() }).value
  return () => {
    result ??= outsideRequests(() => work().catch((error: unknown) => {
      result = null
      throw error
    }))
    return result
  }
}
