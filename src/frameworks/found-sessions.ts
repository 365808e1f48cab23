import { GeneralError } from '../base/errors.ts'
import type { Session } from '../transport/session.ts'

/** Which session was found for which request, for handlers that run after the one that found it. */
export class FoundSessions<Request extends object, Payload extends object, Info extends object> {
  readonly #sessions = new WeakMap<Request, Session<Payload, Info>>()

  set(request: Request, session: Session<Payload, Info>): void {
    this.#sessions.set(request, session)
  }

  /** @throws GeneralError (`misuse`) if nothing looked for the session of this request. */
  get(request: Request): Session<Payload, Info> {
    const session = this.#sessions.get(request)
    if (session !== undefined) return session
    throw new GeneralError('misuse', 'no requireSession ran before sessionOf')
  }
}

/** Whether a method never needs a session: preflights carry none, and browsers do not send TRACE. */
export function passesWithoutSession(method: string): boolean {
  return method === 'OPTIONS' || method === 'TRACE'
}
