import { outsideRequests } from './outside-requests.ts'

/**
 * Makes the method `close` of something that is closed once: every call returns the same promise, so that two signals,
 * or a framework and the application, can both close it.
 */
export function closeOnce(close: () => Promise<unknown>): () => Promise<void> {
  let closing: Promise<void> | null = null
  return () => {
    closing ??= outsideRequests(async () => {
      await close()
    })
    return closing
  }
}
