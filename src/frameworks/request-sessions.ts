import { createAttachment } from '../base/attachment.ts'
import { GeneralError } from '../base/errors.ts'
import type { Session } from '../transport/session.ts'

/** Keeps the session that was found for a request, for later handlers. */
export class RequestSessions<Request extends object, Payload extends object, Info extends object> {
  readonly #session = createAttachment<Session<Payload, Info>>()

  set(request: Request, session: Session<Payload, Info>): void {
    this.#session.set(request, session)
  }

  /** @throws GeneralError (`MISUSE`) if no session was set for this request. */
  get(request: Request): Session<Payload, Info> {
    const session = this.#session.get(request)
    if (session !== undefined) return session
    throw new GeneralError('MISUSE', 'sessionOf needs requireSession to run before it')
  }
}
