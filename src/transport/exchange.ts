import type { ClientInfo } from '../session/record.ts'
import type { Cookie } from './set-cookie.ts'

/** A request, as Keyturn reads it, of any framework. */
export interface HttpRequest {
  /** The method, in upper case. */
  readonly method: string
  /** The requested path, without the query. */
  readonly path: string
  /** The query of the requested address with its `?`, or an empty string. */
  readonly query: string
  /**
   * The object that stands for this request, the same one for every call: Keyturn finds by it what earlier calls have
   * changed. Usually the framework's own request.
   */
  readonly identity: object
  /** The client, as far as the application trusts this information. */
  readonly client: ClientInfo
  /**
   * The value of a header by its lower-case name, or null. Several lines are joined with `, `; those of `cookie` with
   * `; ` (CK-07).
   */
  header(name: string): string | null
}

/** Writes to a response of any framework. Header names are in lower case. */
export interface ResponseWriter {
  /** Whether the headers were sent already, so that none can be added. */
  readonly closed: boolean
  /** Returns the value of a header. */
  get(name: string): string | null
  /** Sets a header, in place of an earlier value. */
  set(name: string, value: string): void
  /** Removes a header. */
  remove(name: string): void
  /** Adds cookies; replaces the same ones of an earlier call. Cookies of the application stay, before these. */
  setCookies(cookies: readonly Cookie[]): void
  /** Sets `Cache-Control: private, no-store`. The application can no longer change it (HDR-01). */
  forbidCaching(): void
  /**
   * Calls the listener, once or more often, when the response has been sent to its end or the client has gone; at once
   * if that is so already. For a WebSocket handshake, when the socket is closed. Never, where the framework does not
   * tell.
   */
  onEnd(listener: () => void): void
}

/** For a connection that is open already: there are no headers to write. */
export class NoResponse implements ResponseWriter {
  readonly closed: boolean = true
  readonly onEnd: (listener: () => void) => void

  /** `onEnd` calls a listener when the connection is closed. */
  constructor(onEnd: (listener: () => void) => void = () => undefined) {
    this.onEnd = onEnd
  }

  get(): null {
    return null
  }

  set(): void {}

  remove(): void {}

  setCookies(): void {}

  forbidCaching(): void {}
}

/** A connection whose end somebody else waits for. */
export const noResponse: NoResponse = new NoResponse()

/** One request and the response to it. */
export interface HttpExchange {
  /** The request. */
  readonly request: HttpRequest
  /** What writes the headers of the response. */
  readonly reply: ResponseWriter
}

/**
 * An exchange of Keyturn's own adapters. It is no object literal, because V8 creates the objects of some literals in
 * its old generation at once. Each would keep its request, response and session in memory until that is cleaned, and a
 * refresh would take a tenth longer.
 */
export class AdapterExchange implements HttpExchange {
  readonly request: HttpRequest
  readonly reply: ResponseWriter

  constructor(request: HttpRequest, reply: ResponseWriter) {
    this.request = request
    this.reply = reply
  }
}

/** A response of Keyturn whose body may be a stream, where the whole could be too long for the memory. */
export interface StreamedResponse {
  /** The status of HTTP. */
  readonly status: number
  /** The headers, as pairs of name and value. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The body. */
  readonly body: string | ReadableStream<Uint8Array>
}

/** A complete response of Keyturn. */
export interface CompleteResponse extends StreamedResponse {
  /** The body, as text. */
  readonly body: string
}
