import { isSessionError } from '../base/errors.ts'

/** Whether a request failed because the store does not answer: the client may repeat it later. */
export function isStoreFailure(error: unknown): boolean {
  return isSessionError(error) && error.code === 'STORE_UNAVAILABLE'
}
