/** The stable code of {@link SessionUnavailableError}. */
export type ClientErrorCode = 'SESSION_UNAVAILABLE'

/**
 * The session could not be refreshed for now: offline, the server is down, or something between answered in its
 * place. The session is kept and the client tries again by itself; nobody has been logged out.
 */
export class SessionUnavailableError extends Error {
  override readonly name = 'SessionUnavailableError'
  /** Compare this, not the message. */
  readonly code: ClientErrorCode = 'SESSION_UNAVAILABLE'
  /** The status that came instead of an answer of the session server; null if nothing came. */
  readonly status: number | null

  constructor(status: number | null, cause?: unknown) {
    super('session refresh failed', { cause })
    this.status = status
  }
}
