/** The tokens that a caller keeps of a session. */
export interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string
}

/** A way to call a server: the bare protocol, or an SDK. */
export interface Caller {
  create(): Promise<Tokens>
  /**
   * Verifies an access token, and checks in the store that its session exists. The first response after a refresh has
   * another access token, which the client uses from then on.
   */
  verify(tokens: Tokens): Promise<Tokens>
  refresh(tokens: Tokens): Promise<Tokens>
}

/** The operations that are measured. */
export const operations = ['create', 'verify', 'refresh'] as const
export type Operation = typeof operations[number]

/** Asks a client process to repeat one operation, with so many calls in flight. */
export interface Order {
  readonly operation: Operation
  readonly inFlight: number
  /** For how many milliseconds. */
  readonly milliseconds: number
}

/** The result of an order. */
export interface Report {
  readonly calls: number
  readonly milliseconds: number
  /** How long a call took, in milliseconds: the median, and what 99 of 100 calls did not exceed. */
  readonly p50: number
  readonly p99: number
}
