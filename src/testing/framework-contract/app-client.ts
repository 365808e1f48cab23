import { parseJsonObject } from '../../base/json.ts'
import type { JsonValue } from '../../base/json.ts'
import type { EpochMilliseconds } from '../../base/time.ts'
import type { Send, WireReply } from './wire.ts'

/** A whole answer of the application under test. */
export interface AppReply {
  readonly status: number
  /** The value of a header by its lower-case name; several lines are joined by `, `. */
  header(name: string): string | null
  readonly setCookies: readonly string[]
  readonly body: string
  /** A member of the JSON object that the body is, or undefined. */
  member(name: string): JsonValue | undefined
}

/** A cookie as a browser keeps it. */
export interface AppCookie {
  readonly name: string
  readonly value: string
  /** Null: for the origin's host alone. */
  readonly domain: string | null
  readonly path: string
  readonly secure: boolean
  readonly httpOnly: boolean
  readonly sameSite: string
  /** Null: until the browser is closed. */
  readonly expires: EpochMilliseconds | null
}

/** How to send one request. */
export interface SendOptions {
  /** Header lines; a list is sent as several lines. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** A text as it is, anything else as JSON. */
  readonly body?: unknown
  /** Whether to send the jar's cookies and to keep those of the answer. Default true. */
  readonly jar?: boolean
  /** Sent beside the jar's cookies: what somebody else tossed in. */
  readonly extraCookies?: readonly string[]
}

/** Where the application is, as its clients see it. */
export interface Place {
  /** The path before every route, as a client writes it. */
  readonly external: string
  /** The path before every route, as the application sees it: a proxy may have stripped something. */
  readonly internal: string
}

/** A client of the application under test, with a cookie jar that obeys RFC 6265bis as far as sessions need it. */
export class AppClient {
  jar: readonly AppCookie[] = []
  readonly #send: Send
  readonly #place: Place
  readonly #now: () => EpochMilliseconds

  constructor(send: Send, place: Place, now: () => EpochMilliseconds) {
    this.#send = send
    this.#place = place
    this.#now = now
  }

  /** The value of a live cookie. */
  cookie(name: string): string | undefined {
    return this.#live().find(cookie => cookie.name === name)?.value
  }

  /** The names of the live cookies. */
  get cookieNames(): readonly string[] {
    return this.#live().map(({ name }) => name)
  }

  /** Sends a request to a route and reads the whole answer. */
  async send(method: string, route: string, options: SendOptions = {}): Promise<AppReply> {
    const reply = await this.open(method, route, options)
    let body = ''
    for await (const piece of reply.body) body += piece
    const lines = (name: string): string[] => (
      reply.headers.flatMap(([other, value]) => other.toLowerCase() === name ? [value] : [])
    )
    const setCookies = lines('set-cookie')
    if (options.jar !== false) for (const line of setCookies) this.keep(line)
    return {
      status: reply.status,
      header: name => lines(name).length === 0 ? null : lines(name).join(', '),
      setCookies,
      body,
      member: name => parseJsonObject(body)?.[name],
    }
  }

  /** Sends a request to a route and leaves its answer to the caller. */
  open(method: string, route: string, options: SendOptions = {}): Promise<WireReply> {
    const { headers = {}, body, jar = true, extraCookies = [] } = options
    const cookies = [...jar ? this.#cookiesFor(this.#place.external + route) : [], ...extraCookies]
    const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body)
    // Every fetch says so; some frameworks answer whoever does not with a page.
    const lines: (readonly [string, string])[] = [['accept', '*/*']]
    if (text !== null) lines.push(['content-type', typeof body === 'string' ? 'text/plain' : 'application/json'])
    if (cookies.length > 0) lines.push(['cookie', cookies.join('; ')])
    for (const [name, value] of Object.entries(headers)) {
      for (const line of typeof value === 'string' ? [value] : value) lines.push([name, line])
    }
    return this.#send({ method, path: this.#place.internal + route, headers: lines, body: text })
  }

  /** Keeps the cookie of a `Set-Cookie` line. */
  keep(line: string): void {
    const cookie = parseSetCookie(line)
    const rest = this.jar.filter(other => (
      other.name !== cookie.name || other.domain !== cookie.domain || other.path !== cookie.path
    ))
    const isLive = cookie.expires === null || cookie.expires > this.#now()
    this.jar = isLive ? [...rest, cookie] : rest
  }

  #live(): readonly AppCookie[] {
    return this.jar.filter(({ expires }) => expires === null || expires > this.#now())
  }

  #cookiesFor(target: string): string[] {
    const [path = ''] = target.split('?')
    return this.#live()
      .filter(cookie => `${path}/`.startsWith(cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`))
      .map(({ name, value }) => `${name}=${value}`)
  }
}

/** Reads a `Set-Cookie` line (RFC 6265bis section 5.6), without the refusals of a browser. */
export function parseSetCookie(line: string): AppCookie {
  const [pair = '', ...rest] = line.split(';')
  const attributes = new Map(rest.map(text => {
    const [name = '', ...value] = text.trim().split('=')
    return [name.toLowerCase(), value.join('=')] as const
  }))
  const expires = attributes.get('expires')
  return {
    name: pair.slice(0, pair.indexOf('=')).trim(),
    value: pair.slice(pair.indexOf('=') + 1).trim(),
    domain: attributes.get('domain') ?? null,
    path: attributes.get('path') ?? '/',
    secure: attributes.has('secure'),
    httpOnly: attributes.has('httponly'),
    sameSite: attributes.get('samesite')?.toLowerCase() ?? '',
    expires: expires === undefined ? null : Date.parse(expires),
  }
}
