import { GeneralError, isSessionError } from '../../base/errors.ts'
import { failureReasonOf } from '../failure-reason.ts'
import { unreadableSession } from './reply.ts'

/** What the server's error codes mean, except for those that need a closer look. */
const meanings: Readonly<Record<string, string>> = {
  OOM: 'Redis is out of memory (maxmemory is reached): nothing was written',
  MISCONF: 'Redis cannot write to its disk and refuses every change until it can: nothing was written',
  NOREPLICAS: 'Redis refuses every change while too few replicas are connected (min-replicas-to-write)',
  READONLY: 'this Redis server is a replica and accepts no writes: the store changes to the primary as soon as the '
    + 'address leads there',
  MASTERDOWN: 'this Redis server is a replica without a connection to its primary: the store changes to the primary as '
    + 'soon as the address leads there',
  LOADING: 'Redis has started and is still loading its data',
  BUSY: 'Redis is busy with a long script of another application',
  CLUSTERDOWN: 'a part of the Redis Cluster has no primary at the moment',
  TRYAGAIN: 'the Redis Cluster is moving the session\'s slot to another server, and that has taken too long',
  NOAUTH: 'the Redis server requires a password',
  WRONGPASS: 'the Redis server refused the credentials',
}

/**
 * The error to throw for an error of a client library. The libraries' own errors carry the command with its arguments,
 * which include secrets, so only their message becomes the cause. The server's messages about rights and credentials
 * are left out, because they name the user.
 */
export function toStoreError(error: unknown): Error {
  if (isSessionError(error)) return error
  const message = messageOf(error)
  const format = /UNREADABLE SESSION (\d*)/.exec(message)?.[1]
  if (format !== undefined) return unreadableSession(format)
  if (lacksRight(error)) return missingRights(rightsIn(message))
  const code = codeOf(message)
  if (code === 'NOAUTH' || code === 'WRONGPASS') {
    return new GeneralError('STORE_UNAVAILABLE', meanings[code] ?? '', { reason: 'credentials-refused' })
  }
  const cause = new Error(message)
  if (/only \(P(?:\|S)?\)SUBSCRIBE|subscriber mode/.test(message)) {
    return new GeneralError('MISUSE', 'this Redis client has subscriptions, so it accepts no other commands: give the '
      + 'store a client of its own, such as client.duplicate()', { cause })
  }
  if (['MOVED', 'ASK', 'CROSSSLOT'].includes(code)) {
    const advice = 'this Redis server is part of a cluster: give the store a cluster client'
    return new GeneralError('MISUSE', advice, { cause })
  }
  return new GeneralError('STORE_UNAVAILABLE', meanings[code] ?? 'the call to Redis failed', {
    cause, reason: failureReasonOf(cause),
  })
}

/** Whether the server is a replica, so that another connection may lead to the primary. */
export function isFromReplica(error: unknown): boolean {
  return ['READONLY', 'MASTERDOWN'].includes(codeOf(messageOf(error)))
}

/** Whether the user lacks a right. Redis 6.2 has no code for that in a script. */
export function lacksRight(error: unknown): boolean {
  return /^NOPERM\b|ACL failure in script|The user executing the script can't/.test(messageOf(error))
}

/** The error for a user whose ACL lacks something. */
export function missingRights(rights: string): GeneralError {
  return new GeneralError('MISUSE', `the Redis user lacks a right that Keyturn needs: add ${rights} to its ACL`, {
    reason: 'privileges-missing',
  })
}

function rightsIn(message: string): string {
  const command = /the '([\w|-]+)' command/.exec(message)?.[1]
  if (command !== undefined) return `+${command.toLowerCase()}`
  return / channel/.test(message) ? '& and the store\'s prefix (by default &keyturn:*)'
    : '~ and the store\'s prefix (by default ~keyturn:*)'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.split(', with args')[0] ?? '' : ''
}

/** The code that begins an error of the server. Redis 6.2 puts its own words before an error in a script. */
function codeOf(message: string): string {
  return /^(?:ERR Error running script .*: -)?([A-Z]+)\b/.exec(message)?.[1] ?? ''
}
