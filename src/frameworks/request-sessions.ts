import { GeneralError } from '../base/errors.ts'
import type { Session } from '../transport/session.ts'

/**
 * Which session was found for which request, for handlers that run after the one that found it. It is kept on the
 * request itself: a WeakMap that gets an entry with each request costs as much as the verification, in the garbage
 * collector above all.
 */
export class RequestSessions<Request extends object, Payload extends object, Info extends object> {
  readonly #name = Symbol('keyturn session')

  set(request: Request, session: Session<Payload, Info>): void {
    // Not enumerable: nobody's log of a request shows it.
    Object.defineProperty(request, this.#name, { value: session, configurable: true })
  }

  /** @throws GeneralError (`MISUSE`) if nothing looked for the session of this request. */
  get(request: Request): Session<Payload, Info> {
    const session = this.#isKnown(request) ? request[this.#name] : undefined
    if (session !== undefined) return session
    throw new GeneralError('MISUSE', 'no requireSession ran before sessionOf')
  }

  #isKnown(request: object): request is { readonly [name: symbol]: Session<Payload, Info> } {
    return this.#name in request
  }
}
