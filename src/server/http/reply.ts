/** An answer. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Nothing that is answered here may be kept or read by a page, unless its reply says otherwise (HDR-01, HDR-05). */
const common = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

/** An answer in JSON. Every body ends with a line feed. */
export function replyJson(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    headers: { ...common, 'content-type': 'application/json; charset=UTF-8', ...headers },
    body: `${JSON.stringify(value)}\n`,
  }
}

/** An answer in plain words: the errors of the core protocol. */
export function replyText(status: number, words: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers: { ...common, 'content-type': 'text/html; charset=UTF-8', ...headers }, body: `${words}\n` }
}

/** Says with a 401 how a key is to come (HDR-03, RFC 9110 section 15.5.2). No browser asks its user for a Bearer. */
export function challenge({ status, headers, body }: Reply): Reply {
  return { status, body, headers: { ...headers, 'www-authenticate': 'Bearer realm="keyturn"' } }
}

/** Says with a 405 which methods the path has (RFC 9110 section 15.5.6). */
export function allowOnly(methods: readonly string[], { status, headers, body }: Reply): Reply {
  return { status, body, headers: { ...headers, allow: methods.join(', ') } }
}

/** Ends the handling of a request with an answer. */
export class RejectedRequest extends Error {
  override readonly name = 'RejectedRequest'
  readonly reply: Reply

  constructor(reply: Reply) {
    super(`the request was refused with ${reply.status}`)
    this.reply = reply
  }
}
