import { isSessionError, UnauthorizedError } from '../base/errors.ts'
import { transferModeOf } from '../base/handle.ts'
import { deepFreeze } from '../base/json.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { EndReason } from '../base/wire.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import { endOfToken } from '../tokens/access-claims.ts'
import type { IssuedAccessToken } from '../session/core.ts'
import type { OutputOf, Update, UpdateOfPayload } from '../session/data-types.ts'
import { ChangedSession } from './current-session.ts'
import { refuseIfSent } from './delivery.ts'
import type { HttpExchange } from './exchange.ts'
import type { HttpContext } from './http-context.ts'
import { endImported } from './imports.ts'
import { reauthenticateSession } from './reauthenticate.ts'
import type { ReadonlySession, Session, SessionJson } from './session.ts'
import type { Cookie } from './set-cookie.ts'
import { accessTokenEdits, applyEdits, clearingEdits } from './tokens-reply.ts'

/**
 * The session of a verified access token. Requests with the same token share claims and payload: the claims are
 * private, and the payload is frozen before it is returned (TOK-17).
 */
export class VerifiedSession<Payload extends object> implements ReadonlySession<Payload> {
  #claims: AccessClaims
  #payload: OutputOf<Payload>

  constructor(claims: AccessClaims, payload: OutputOf<Payload>) {
    this.#claims = claims
    this.#payload = payload
  }

  /** Replaces the access token that this session is of. */
  protected adopt({ claims, payload }: Pick<IssuedAccessToken<Payload>, 'claims' | 'payload'>): void {
    this.#claims = claims
    this.#payload = payload
  }

  getUserId(): string {
    return this.#claims.sub
  }

  getJwtPayload(): Readonly<OutputOf<Payload>> {
    return deepFreeze(this.#payload)
  }

  getHandle(): string {
    return this.#claims.sid
  }

  getTenantId(): string {
    return this.#claims.tid
  }

  getTimeCreated(): EpochMilliseconds {
    return this.#claims.auth_time * 1000
  }

  getExpiry(): EpochMilliseconds {
    return this.#claims.exp * 1000
  }

  toJSON(): SessionJson<Payload> {
    return {
      userId: this.getUserId(),
      handle: this.getHandle(),
      tenantId: this.getTenantId(),
      jwtPayload: this.getJwtPayload(),
      timeCreated: this.getTimeCreated(),
      expiry: this.getExpiry(),
    }
  }
}

/** A session that can be changed. Changes are written to the store and to the response. */
export class RequestSession<Payload extends object, Info extends object>
  extends VerifiedSession<Payload> implements Session<Payload, Info> {
  readonly #context: HttpContext<Payload, Info>
  readonly #exchange: HttpExchange
  /** Cookies on other domains to clear with the session's. */
  readonly #leftovers: readonly Cookie[]
  #claims: AccessClaims
  #controller: AbortController | null = null

  constructor(
    context: HttpContext<Payload, Info>,
    exchange: HttpExchange,
    token: Pick<IssuedAccessToken<Payload>, 'claims' | 'payload'>,
    leftovers: readonly Cookie[] = [],
  ) {
    super(token.claims, token.payload)
    this.#claims = token.claims
    this.#context = context
    this.#exchange = exchange
    this.#leftovers = leftovers
  }

  /** The time, by the clock of the sessions. */
  now(): EpochMilliseconds {
    return this.#context.clock()
  }

  override getExpiry(): EpochMilliseconds {
    return endOfToken(this.#claims, this.#context.core.policy.accessTokenLifetime)
  }

  async getSessionInfo(): Promise<OutputOf<Info>> {
    return this.#whileAlive(this.#context.core.getSessionInfo(this.#claims.sid))
  }

  async updateSessionInfo(info: Update<Info>): Promise<void> {
    await this.#whileAlive(this.#context.core.updateSessionInfo(this.#claims.sid, info))
  }

  async updateJwtPayload(payload: UpdateOfPayload<Payload>): Promise<void> {
    const { core, policy, current } = this.#context
    const { request, reply } = this.#exchange
    refuseIfSent(reply)
    const issued = await this.#whileAlive(core.reissue(this.#claims, payload))
    this.adopt(issued)
    refuseIfSent(reply)
    if (!current.mayWrite(request, issued.claims.sid)) return
    applyEdits(reply, accessTokenEdits(policy.cookies, transferModeOf(issued.claims.sid), issued))
    current.reissue(this.#exchange, issued, this)
  }

  async reauthenticate(): Promise<void> {
    const { current } = this.#context
    const { request } = this.#exchange
    if (!current.mayWrite(request, this.#claims.sid)) {
      throw new UnauthorizedError('another call for this request has ended or replaced the session')
    }
    const issued = await this.#whileAlive(reauthenticateSession(this.#context, this.#exchange, this.#claims))
    this.adopt(issued)
    const changed = current.of(request)
    // As after a refresh, the client does not have the new refresh token yet.
    const source = changed?.kind === 'session' && changed.source === 'created' ? 'created' : 'refreshed'
    current.set(request, new ChangedSession(source, issued, this))
  }

  protected override adopt(token: Pick<IssuedAccessToken<Payload>, 'claims' | 'payload'>): void {
    super.adopt(token)
    this.#claims = token.claims
  }

  onRevoked(listener: () => unknown): () => void {
    return this.#context.core.onRevoked(this.#claims.sid, listener)
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      const controller = new AbortController()
      this.#controller = controller
      // Otherwise each request that reads the signal would be kept in memory until the session is revoked (L-32).
      this.#exchange.reply.onEnd(
        this.onRevoked(() => controller.abort(new UnauthorizedError('the session was revoked'))),
      )
    }
    return this.#controller.signal
  }

  async revokeSession(): Promise<void> {
    const { sid } = this.#claims
    await this.#context.core.signOut([sid])
    // An old cookie that was not needed so far would log its user in again.
    if (this.#context.current.mayWrite(this.#exchange.request, sid)) {
      await endImported(this.#context, this.#exchange, 'sign-out')
    }
    refuseIfSent(this.#exchange.reply)
    this.#clear('signed-out')
  }

  async #whileAlive<Result>(call: Promise<Result>): Promise<Result> {
    try {
      return await call
    } catch (error) {
      if (!isSessionError(error) || error.code !== 'SESSION_NOT_FOUND') throw error
      this.#clear('revoked')
      throw new UnauthorizedError('the session has expired or was revoked')
    }
  }

  /** Clears the client's tokens, unless the response carries those of another session. */
  #clear(reason: EndReason): void {
    const { policy: { cookies }, current } = this.#context
    const { request, reply } = this.#exchange
    const handle = this.#claims.sid
    if (!current.mayWrite(request, handle)) return
    applyEdits(reply, clearingEdits(cookies, transferModeOf(handle), { reason, handles: [handle] }, this.#leftovers))
    current.set(request, { kind: 'none' })
  }
}
