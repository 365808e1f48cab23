import { reasonOf, UsageError } from './command.ts'

/** A request that `keyturn doctor` sent, and its response. */
export interface Visit {
  readonly method: string
  readonly url: URL
  /** The request's headers, with names in lower case. */
  readonly request: ReadonlyMap<string, string>
  readonly status: number
  /** The response's headers. The values of a repeated header are joined by a line feed. */
  readonly response: ReadonlyMap<string, string>
  /** The start of the response's body. */
  readonly body: string
}

/** Sends requests, and remembers what it sent. */
export interface Visitor {
  /** One line for each request: method, URL and status. It contains no header and no body. */
  readonly sent: readonly string[]
  /** @throws Error if there was no response. */
  send(method: string, url: URL, headers?: ReadonlyMap<string, string>, body?: string): Promise<Visit>
}

const MAX_BODY = 65_536

/** Creates a visitor. */
export function createVisitor(): Visitor {
  const sent: string[] = []
  return {
    sent,
    async send(method, url, headers = new Map(), body) {
      const origin = headers.get('origin')
      const what = `${method} ${url.origin}${url.pathname}${origin === undefined ? '' : ` (Origin: ${origin})`}`
      const response = await fetch(url, {
        method, headers: [...headers], redirect: 'manual', signal: AbortSignal.timeout(10_000),
        ...body === undefined ? {} : { body },
      }).catch((error: unknown) => {
        // The message of `fetch` is always the same; its cause has the reason.
        const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error
        throw new Error(`there was no response from ${url.origin}: ${reasonOf(reason)}`, { cause: error })
      })
      sent.push(`${what} -> ${response.status}`)
      const received = new Map([...response.headers].filter(([name]) => name !== 'set-cookie'))
      const cookies = response.headers.getSetCookie()
      if (cookies.length > 0) received.set('set-cookie', cookies.join('\n'))
      return {
        method, url, request: headers, status: response.status, response: received,
        body: (await response.text()).slice(0, MAX_BODY),
      }
    },
  }
}

/** Reads headers of the form `Name: value`. @throws UsageError */
export function headersOf(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon < 1) throw new UsageError('a header must have the form Name: value')
    const name = line.slice(0, colon).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before}\n${value}`)
  }
  return headers
}
