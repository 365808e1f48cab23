/** What a caller keeps of a session. */
export interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string
}

/** A way to call a server: the bare protocol, or an SDK. */
export interface Caller {
  create(): Promise<Tokens>
  /**
   * Verifies an access token, and asks the store whether its session is still there. The first time after a refresh the
   * answer has another access token, which a client takes.
   */
  verify(tokens: Tokens): Promise<Tokens>
  refresh(tokens: Tokens): Promise<Tokens>
}

/** What is measured. */
export const operations = ['create', 'verify', 'refresh'] as const
export type Operation = typeof operations[number]

/** Asks a client process to do one thing, again and again, with so many in flight. */
export interface Order {
  readonly operation: Operation
  readonly inFlight: number
  /** For how long. */
  readonly milliseconds: number
}

/** What it did. */
export interface Report {
  readonly calls: number
  readonly milliseconds: number
}
