/** The response to a request. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Unless a reply overrides them: no cache may store a response, and no browser may guess its type (HDR-01, HDR-05). */
const common = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

/** A response in JSON. Every body ends with a line feed. */
export function replyJson(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    headers: { ...common, 'content-type': 'application/json; charset=UTF-8', ...headers },
    body: `${JSON.stringify(value)}\n`,
  }
}

/** A response in plain text, as the errors of CDI are. */
export function replyText(status: number, words: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers: { ...common, 'content-type': 'text/html; charset=UTF-8', ...headers }, body: `${words}\n` }
}

/** Adds `WWW-Authenticate` to a 401 (HDR-03, RFC 9110 section 15.5.2). No browser shows a login dialog for `Bearer`. */
export function challenge({ status, headers, body }: Reply): Reply {
  return { status, body, headers: { ...headers, 'www-authenticate': 'Bearer realm="keyturn"' } }
}

/** Adds `Allow`, with the methods of the path, to a 405 (RFC 9110 section 15.5.6). */
export function allowOnly(methods: readonly string[], { status, headers, body }: Reply): Reply {
  return { status, body, headers: { ...headers, allow: methods.join(', ') } }
}

/** How many seconds clients wait before they repeat a request that found no store. */
const STORE_RETRY = 1

/** Adds `Retry-After` to a 503 (RFC 9110 section 10.2.3). */
export function retryLater({ status, headers, body }: Reply): Reply {
  return { status, body, headers: { ...headers, 'retry-after': `${STORE_RETRY}` } }
}

/** Stops the handling of a request; the server sends `reply`. */
export class RejectedRequest extends Error {
  override readonly name = 'RejectedRequest'
  readonly reply: Reply

  constructor(reply: Reply) {
    super(`the request was refused with ${reply.status}`)
    this.reply = reply
  }
}
