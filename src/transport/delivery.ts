import { GeneralError } from '../base/errors.ts'
import { NoResponse } from './exchange.ts'
import type { ResponseWriter } from './exchange.ts'

/** The error of a call that would write to a response that was already sent. The same words in every adapter. */
export function responseWasSent(cause?: unknown): GeneralError {
  return new GeneralError(
    'MISUSE',
    'the response was already sent, so cookies and headers can no longer be added: await this call before you send it',
    { cause },
  )
}

/**
 * For calls that are useful without a response too: on an open connection, which has none, they change the session, and
 * the client learns it with its next request.
 * @throws GeneralError (`MISUSE`) if there is a response, and it was already sent.
 */
export function refuseIfSent(reply: ResponseWriter): void {
  if (!(reply instanceof NoResponse)) requireUnsent(reply)
}

/** @throws GeneralError (`MISUSE`) if tokens cannot reach the client, because the response was already sent. */
export function requireUnsent(reply: ResponseWriter): void {
  if (reply.closed) throw responseWasSent()
}
