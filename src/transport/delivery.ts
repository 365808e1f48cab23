import { GeneralError } from '../base/errors.ts'
import type { ResponseWriter } from './exchange.ts'

/** The error of a call that would write to a response that was already sent. The same words in every adapter. */
export function responseWasSent(cause?: unknown): GeneralError {
  return new GeneralError(
    'MISUSE',
    'the response was already sent, so cookies and headers can no longer be added: await this call before you send it',
    { cause },
  )
}

/** @throws GeneralError (`MISUSE`) if the response was already sent. */
export function requireUnsent(reply: ResponseWriter): void {
  if (reply.closed) throw responseWasSent()
}
