import { createAttachment } from '../base/attachment.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { IssuedAccessToken } from '../session/core.ts'
import type { HttpExchange, HttpRequest } from './exchange.ts'
import type { Session } from './session.ts'

/**
 * The session that the client will have once it has received the response to this request, because a call has changed
 * it. From then on it is the session of the request, whatever tokens the request has.
 */
export type CurrentSession<Payload extends object, Info extends object> =
  /** A call has cleared the client's tokens. */
  | { readonly kind: 'none' }
  | ChangedSession<Payload, Info>

/** A session with tokens that the response carries. A class, as `AdapterExchange` is, and for its reason. */
export class ChangedSession<Payload extends object, Info extends object> {
  readonly kind = 'session'
  /**
   * Where its tokens come from. No other site can cause requests with a session that this request has created. A
   * `refreshed` or `reissued` one is the browser's, so that the rules for cross-site requests apply to it.
   */
  readonly source: 'created' | 'refreshed' | 'reissued'
  readonly issued: IssuedAccessToken<Payload>
  readonly session: Session<Payload, Info>

  constructor(
    source: ChangedSession<Payload, Info>['source'],
    issued: IssuedAccessToken<Payload>,
    session: Session<Payload, Info>,
  ) {
    this.source = source
    this.issued = issued
    this.session = session
  }
}

/**
 * The changed sessions of requests that are being handled. There is an entry only for a request that has changed its
 * session; looking for an absent entry costs next to nothing.
 */
export class CurrentSessions<Payload extends object, Info extends object> {
  readonly #current = createAttachment<CurrentSession<Payload, Info>>()

  /** The session of a request, if a call has changed it; undefined: the tokens of the request decide. */
  of({ identity }: HttpRequest): CurrentSession<Payload, Info> | undefined {
    return this.#current.get(identity)
  }

  /** The handle of {@link CurrentSessions.of}, or null. */
  handleOf(request: HttpRequest): SessionHandle | null {
    const current = this.of(request)
    return current?.kind === 'session' ? current.issued.claims.sid : null
  }

  /** Whether this session may write to the response: no call has given the client another one. */
  mayWrite(request: HttpRequest, handle: SessionHandle): boolean {
    const current = this.of(request)
    return current === undefined || (current.kind === 'session' && current.issued.claims.sid === handle)
  }

  set({ identity }: HttpRequest, current: CurrentSession<Payload, Info>): void {
    this.#current.set(identity, current)
  }

  /** Notes that the response carries a new access token of the request's session. */
  reissue(
    { request, reply }: HttpExchange,
    issued: IssuedAccessToken<Payload>,
    session: Session<Payload, Info>,
  ): void {
    // After the response was sent, the client does not get it.
    if (reply.closed) return
    const earlier = this.of(request)
    const source = earlier?.kind === 'session' ? earlier.source : 'reissued'
    this.set(request, new ChangedSession(source, issued, session))
  }
}
