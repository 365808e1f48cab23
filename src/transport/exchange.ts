import type { ClientInfo } from '../session/record.ts'
import type { Cookie } from './set-cookie.ts'

/** What Keyturn reads of a request, whichever framework received it. */
export interface HttpRequest {
  /** The method, upper case as HTTP writes it. */
  readonly method: string
  /** The path that the client asked for, without the query. */
  readonly path: string
  /** Who sent it, as far as the application trusts that. */
  readonly client: ClientInfo
  /**
   * The value of a header by its lower-case name, or null. Several lines are joined; those of `cookie` by `; `
   * (CK-07).
   */
  header(name: string): string | null
}

/** Where Keyturn writes to a response, whichever framework sends it. Names of headers are lower case. */
export interface ResponseWriter {
  /** Whether the head was sent already, so that nothing can be added. */
  readonly closed: boolean
  get(name: string): string | null
  set(name: string, value: string): void
  remove(name: string): void
  /** Adds cookies, in place of the same ones from an earlier call. Those of the application stay, before ours. */
  setCookies(cookies: readonly Cookie[]): void
  /** From now on the response says `Cache-Control: private, no-store`, whatever the application sets (HDR-01). */
  forbidCaching(): void
}

/** The reply of a connection that is open already: it has no head that could be written. */
export const noResponse: ResponseWriter = {
  closed: true,
  get: () => null,
  set: () => undefined,
  remove: () => undefined,
  setCookies: () => undefined,
  forbidCaching: () => undefined,
}

/** One request and the response to it. */
export interface HttpExchange {
  readonly request: HttpRequest
  readonly reply: ResponseWriter
}

/** A whole answer of Keyturn's own. */
export interface CompleteResponse {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}
