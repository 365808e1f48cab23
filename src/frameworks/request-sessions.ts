import { GeneralError } from '../base/errors.ts'
import type { Session } from '../transport/session.ts'

/**
 * Keeps the session that was found for a request, for later handlers. It is a property of the request: a WeakMap with
 * an entry for each request costs as much as the verification, most of it in the garbage collector.
 */
export class RequestSessions<Request extends object, Payload extends object, Info extends object> {
  readonly #name = Symbol('keyturn session')

  set(request: Request, session: Session<Payload, Info>): void {
    // Not enumerable, so that a log of the request does not contain it.
    Object.defineProperty(request, this.#name, { value: session, configurable: true })
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
