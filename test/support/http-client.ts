import { request as sendRequest } from 'node:http'
import type { Agent, OutgoingHttpHeaders } from 'node:http'

/** A response as it is received over the socket. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The `Set-Cookie` lines. */
  readonly setCookies: readonly string[]
  readonly body: string
}

/** A cookie as a browser stores it. */
export interface JarCookie {
  readonly name: string
  readonly value: string
  readonly domain: string
  readonly hostOnly: boolean
  readonly path: string
  readonly secure: boolean
  readonly httpOnly: boolean
  readonly sameSite: string
  /** Whether it is kept in the partition of the site that embeds the page. */
  readonly partitioned: boolean
  /** Null: until the browser is closed. */
  readonly expires: number | null
}

export interface SendOptions {
  readonly headers?: OutgoingHttpHeaders
  readonly body?: unknown
  /** Whether to send the jar's cookies and to store those of the response. Default: true. */
  readonly jar?: boolean
  /** Cookies to send in addition to the jar's, for example set by an attacker. */
  readonly extraCookies?: readonly string[]
  /** Whether the answer is lost on its way: the jar does not get its cookies. Default: false. */
  readonly lost?: boolean
  /** The process to send to, if it is not the client's own port. */
  readonly to?: { readonly port: number; readonly agent: Agent }
}

/**
 * A client with a cookie jar that implements RFC 6265bis as far as sessions need it. It connects to a local port and
 * behaves as if the server were `origin`.
 */
export class HttpClient {
  readonly #port: number
  readonly #origin: URL
  readonly #now: () => number
  #jar: JarCookie[] = []

  constructor(port: number, origin: string, now: () => number) {
    this.#port = port
    this.#origin = new URL(origin)
    this.#now = now
  }

  /** The cookies that have not expired. */
  get jar(): readonly JarCookie[] {
    return this.#jar.filter(({ expires }) => expires === null || expires > this.#now())
  }

  set jar(cookies: readonly JarCookie[]) {
    this.#jar = [...cookies]
  }

  /** The value of a cookie. */
  cookie(name: string): string | undefined {
    return this.jar.find(cookie => cookie.name === name)?.value
  }

  /** Deletes the cookies that end with the browser. */
  closeBrowser(): void {
    this.#jar = this.#jar.filter(({ expires }) => expires !== null)
  }

  async send(method: string, path: string, options: SendOptions = {}): Promise<Reply> {
    const { headers = {}, body, jar = true, extraCookies = [], lost = false } = options
    const { port, agent } = options.to ?? { port: this.#port, agent: false }
    const sent = [...jar ? this.#cookiesFor(path) : [], ...extraCookies]
    const text = body === undefined ? null : JSON.stringify(body)
    const reply = await new Promise<Reply>((resolve, reject) => {
      const outgoing = sendRequest({
        host: '127.0.0.1',
        port,
        agent,
        method,
        path,
        headers: {
          ...text === null ? {} : { 'content-type': 'application/json' },
          ...sent.length === 0 ? {} : { cookie: sent.join('; ') },
          ...headers,
        },
      }, response => {
        let received = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          received += chunk
        }).on('error', reject).on('end', () => resolve({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
          setCookies: response.headers['set-cookie'] ?? [],
          body: received,
        }))
      })
      outgoing.on('error', reject).end(text)
    })
    if (jar && !lost) for (const line of reply.setCookies) this.keep(line)
    return reply
  }

  #cookiesFor(target: string): string[] {
    const path = target.split('?')[0] ?? '/'
    return this.jar.filter(cookie => this.#reaches(cookie, path)).map(({ name, value }) => `${name}=${value}`)
  }

  #reaches({ domain, hostOnly, path, secure }: JarCookie, target: string): boolean {
    const host = this.#origin.hostname
    const onHost = hostOnly ? host === domain : host === domain || host.endsWith(`.${domain}`)
    const onPath = target === path || target.startsWith(path.endsWith('/') ? path : `${path}/`)
    return onHost && onPath && (!secure || this.#origin.protocol === 'https:')
  }

  /** Stores the cookie of a `Set-Cookie` line, or rejects it as a browser would. */
  keep(line: string): void {
    const cookie = parseSetCookie(line, this.#origin.hostname, this.#now())
    if (cookie === null || (cookie.secure && this.#origin.protocol !== 'https:')) return
    this.#jar = this.#jar.filter(other => !isSame(other, cookie))
    if (cookie.expires === null || cookie.expires > this.#now()) this.#jar.push(cookie)
  }
}

function parseSetCookie(line: string, host: string, now: number): JarCookie | null {
  const [pair = '', ...rest] = line.split(';')
  const attributes = new Map(rest.map(text => {
    const [name = '', ...value] = text.trim().split('=')
    return [name.toLowerCase(), value.join('=')] as const
  }))
  const name = pair.slice(0, pair.indexOf('=')).trim()
  const value = pair.slice(pair.indexOf('=') + 1).trim()
  const domain = attributes.get('domain')?.toLowerCase() ?? ''
  const path = attributes.get('path') ?? '/'
  const secure = attributes.has('secure')
  const lower = name.toLowerCase()
  if (name.length + value.length > 4096) return null
  if (domain !== '' && host !== domain && !host.endsWith(`.${domain}`)) return null
  if (lower.startsWith('__secure-') && !secure) return null
  if (lower.startsWith('__host-') && (!secure || domain !== '' || path !== '/')) return null
  if (attributes.has('partitioned') && !secure) return null
  const maxAge = attributes.get('max-age')
  const expires = attributes.get('expires')
  return {
    name,
    value,
    domain: domain === '' ? host : domain,
    hostOnly: domain === '',
    path,
    secure,
    httpOnly: attributes.has('httponly'),
    sameSite: attributes.get('samesite')?.toLowerCase() ?? '',
    partitioned: attributes.has('partitioned'),
    expires: maxAge !== undefined ? now + Number(maxAge) * 1000 : expires === undefined ? null : Date.parse(expires),
  }
}

function isSame(left: JarCookie, right: JarCookie): boolean {
  return left.name === right.name && left.domain === right.domain && left.hostOnly === right.hostOnly
    && left.path === right.path && left.partitioned === right.partitioned
}
