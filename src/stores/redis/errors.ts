import { GeneralError, isSessionError } from '../../base/errors.ts'
import { unreadableSession } from './reply.ts'

/**
 * The error to throw for an error of a client library. The libraries' own errors carry the command with its arguments,
 * which include secrets, so only their message becomes the cause.
 */
export function toStoreError(error: unknown): Error {
  if (isSessionError(error)) return error
  const message = error instanceof Error ? error.message.split(', with args')[0] ?? '' : ''
  const cause = new Error(message)
  if (message.startsWith('OOM')) {
    const full = 'Redis is out of memory (maxmemory is reached): nothing was written'
    return new GeneralError('STORE_UNAVAILABLE', full, { cause })
  }
  if (message.startsWith('MISCONF')) {
    const stuck = 'Redis cannot write to its disk and refuses every change until it can: nothing was written'
    return new GeneralError('STORE_UNAVAILABLE', stuck, { cause })
  }
  const format = /UNREADABLE SESSION (\d*)/.exec(message)?.[1]
  if (format !== undefined) return unreadableSession(format)
  if (message.startsWith('MOVED') || message.startsWith('CROSSSLOT')) {
    const advice = 'this Redis server is part of a cluster: give the store a cluster client'
    return new GeneralError('MISUSE', advice, { cause })
  }
  return new GeneralError('STORE_UNAVAILABLE', 'the call to Redis failed', { cause })
}
