import { attach } from '../base/attach.ts'
import { GeneralError } from '../base/errors.ts'
import type { Session } from '../transport/session.ts'

/** Keeps the session that was found for a request, for later handlers. */
export class RequestSessions<Request extends object, Payload extends object, Info extends object> {
  readonly #name = Symbol('keyturn session')

  set(request: Request, session: Session<Payload, Info>): void {
    attach(request, this.#name, session)
  }

  /** @throws GeneralError (`MISUSE`) if no session was set for this request. */
  get(request: Request): Session<Payload, Info> {
    const session = this.#isKnown(request) ? request[this.#name] : undefined
    if (session !== undefined) return session
    throw new GeneralError('MISUSE', 'sessionOf needs requireSession to run before it')
  }

  #isKnown(request: object): request is { readonly [name: symbol]: Session<Payload, Info> } {
    return this.#name in request
  }
}
