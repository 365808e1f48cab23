import { parseJsonObject } from '../../base/json.ts'
import type { JsonValue } from '../../base/json.ts'
import type { EpochMilliseconds } from '../../base/time.ts'
import type { Send, WireReply } from './wire.ts'

/** A complete response of the application under test. */
export interface AppReply {
  readonly status: number
  /** The value of a header by its lower-case name; several lines are joined by `, `. */
  header(name: string): string | null
  readonly setCookies: readonly string[]
  readonly body: string
  /** A member of the body if it is a JSON object, or undefined. */
  member(name: string): JsonValue | undefined
}

/** A cookie as a browser stores it. */
export interface AppCookie {
  readonly name: string
  readonly value: string
  /** Null: for the host of the origin only. */
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
  /** A string is sent as it is, any other value as JSON. */
  readonly body?: unknown
  /** Whether to send the jar's cookies and to store those of the response. Default: true. */
  readonly jar?: boolean
  /** Cookies to send in addition to the jar's, for example set by another application. */
  readonly extraCookies?: readonly string[]
  /** Whether to send the request target in absolute form (RFC 9112 section 3.2.2). Default: false. */
  readonly absolute?: boolean
}

/** Where the application is, as its clients see it. */
export interface Place {
  /** The path before every route, as a client sends it. */
  readonly external: string
  /** The path before every route, as the application sees it: a proxy may have removed a prefix. */
  readonly internal: string
}

/** Scheme and host of targets in absolute form; a server must ignore that they are not its own. */
const ABSOLUTE = 'http://app.example.com'

/** A client of the application under test. Its cookie jar implements RFC 6265bis as far as sessions need it. */
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

  /** The value of a cookie that has not expired. */
  cookie(name: string): string | undefined {
    return this.#live().find(cookie => cookie.name === name)?.value
  }

  /** The names of the cookies that have not expired. */
  get cookieNames(): readonly string[] {
    return this.#live().map(({ name }) => name)
  }

  /** Sends a request to a route and reads the complete response. */
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

  /** Sends a request to a route and returns the response without reading its body. */
  open(method: string, route: string, options: SendOptions = {}): Promise<WireReply> {
    const { headers = {}, body, jar = true, extraCookies = [], absolute = false } = options
    const cookies = [...jar ? this.#cookiesFor(this.#place.external + route) : [], ...extraCookies]
    const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body)
    // Every fetch sends this header; without it some frameworks answer with an HTML page.
    const lines: (readonly [string, string])[] = 'accept' in headers ? [] : [['accept', '*/*']]
    if (text !== null) lines.push(['content-type', typeof body === 'string' ? 'text/plain' : 'application/json'])
    if (cookies.length > 0) lines.push(['cookie', cookies.join('; ')])
    for (const [name, value] of Object.entries(headers)) {
      for (const line of typeof value === 'string' ? [value] : value) lines.push([name, line])
    }
    return this.#send({
      method,
      path: (absolute ? ABSOLUTE : '') + this.#place.internal + route,
      headers: lines,
      body: text,
    })
  }

  /** Stores the cookie of a `Set-Cookie` line. */
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

/** Parses a `Set-Cookie` line (RFC 6265bis section 5.6). Accepts cookies that a browser would reject. */
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
