/** A request as it is sent over the socket. */
export interface WireRequest {
  /** The method of HTTP. */
  readonly method: string
  /** The request target, with its query. One case sends the absolute form, as to a proxy: `http://host/path`. */
  readonly path: string
  /** The lines of the head besides `host`, `content-length` and `connection`, in order; names may repeat. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The body; null if there is none. */
  readonly body: string | null
}

/** The response as it is received over the socket. */
export interface WireReply {
  /** The status of HTTP. */
  readonly status: number
  /** The lines of the head, in order; names may repeat. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The body as UTF-8, piece by piece as it arrives. */
  readonly body: AsyncIterable<string>
}

/** Sends a request to one application over a real socket, with full control of the request's head. */
export type Send = (request: WireRequest) => Promise<WireReply>
