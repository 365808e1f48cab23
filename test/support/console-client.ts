import type { JsonObject } from '../../src/base/json.ts'

/** A response of the console. */
export interface ConsoleAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as a JSON object; empty if it is none. */
  readonly json: JsonObject
}

/** How a request to a console differs from that of its page. */
export interface ConsoleCallOptions {
  readonly body?: unknown
  /** Headers besides those of a page; null leaves one of these out. */
  readonly headers?: Readonly<Record<string, string | null>>
}

/** A browser with the console open: it keeps cookies, and sends the origin and the change token. */
export class ConsoleClient {
  readonly url: string
  readonly cookies = new Map<string, string>()
  /** The `Set-Cookie` lines of the last response. */
  setCookies: readonly string[] = []
  token: string | null = null
  readonly #fetch: (url: string, init: RequestInit) => Promise<Response>

  /** `url`: the address of the console, without a slash at the end. */
  constructor(url: string, send: (url: string, init: RequestInit) => Promise<Response> = fetch) {
    this.url = url
    this.#fetch = send
  }

  /** Sends a request to a path below the console. */
  async call(method: string, path: string, { body, headers = {} }: ConsoleCallOptions = {}): Promise<ConsoleAnswer> {
    const sent = new Headers()
    const usual: Record<string, string | null> = {
      origin: method === 'GET' ? null : new URL(this.url).origin,
      'sec-fetch-site': 'same-origin',
      'x-console-token': method === 'GET' ? null : this.token,
      'content-type': body === undefined ? null : 'application/json',
      cookie: this.cookies.size === 0 ? null : [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
    }
    for (const [name, value] of Object.entries({ ...usual, ...headers })) if (value !== null) sent.set(name, value)
    const response = await this.#fetch(`${this.url}${path}`, {
      method, headers: sent, redirect: 'manual',
      ...body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) },
    })
    this.setCookies = response.headers.getSetCookie()
    for (const line of this.setCookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/max-age=0/i.test(line)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: objectIn(text) }
  }

  get(path: string, options?: ConsoleCallOptions): Promise<ConsoleAnswer> {
    return this.call('GET', `/api${path}`, options)
  }

  /** Logs in with an API key and reads the change token. */
  async logIn(apiKey: string): Promise<ConsoleAnswer> {
    const answer = await this.call('POST', '/api/login', { body: { apiKey } })
    if (answer.status === 204) await this.readToken()
    return answer
  }

  /** Reads the change token, as the page does when it is loaded. */
  async readToken(): Promise<ConsoleAnswer> {
    const me = await this.get('/me')
    this.token = typeof me.json['changeToken'] === 'string' ? me.json['changeToken'] : null
    return me
  }
}

function objectIn(text: string): JsonObject {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}
