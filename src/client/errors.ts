/** The stable code of {@link SessionUnavailableError}. */
export type ClientErrorCode = 'SESSION_UNAVAILABLE'

/**
 * The session could not be refreshed: the device is offline, the server is down, or something between them answered
 * instead. The session is kept, and the client tries again by itself.
 */
export class SessionUnavailableError extends Error {
  /** The name of the class. */
  override readonly name = 'SessionUnavailableError'
  /** Compare this, not the message. */
  readonly code: ClientErrorCode = 'SESSION_UNAVAILABLE'
  /** The HTTP status of the response to the refresh; null if there was no response. */
  readonly status: number | null

  constructor(status: number | null, cause?: unknown) {
    super('session refresh failed', { cause })
    this.status = status
  }
}
