import { createClientInfo } from '../session/client-info.ts'
import type { ClientInfo } from '../session/record.ts'
import { readCookies } from '../transport/cookies.ts'
import { responseWasSent } from '../transport/delivery.ts'
import type { HttpRequest, ResponseWriter } from '../transport/exchange.ts'
import { overrideCookies } from '../transport/request-cookies.ts'
import type { Cookie } from '../transport/set-cookie.ts'

/** The part of Next's cookie store that Keyturn uses. */
export interface NextCookieStore {
  get(name: string): { readonly value: string } | undefined
  set(cookie: {
    name: string
    value: string
    path?: string
    domain?: string
    expires?: Date
    httpOnly?: boolean
    secure?: boolean
    sameSite?: 'lax' | 'strict' | 'none'
  }): unknown
}

/** The parts of the current request that Next gives to server actions and server components. */
export interface NextScope {
  readonly headers: Pick<Headers, 'get'>
  readonly cookies: NextCookieStore
  /** The names of the cookies that carry tokens. */
  readonly names: readonly string[]
}

/** The current request of a server action or component. Next does not provide its path or the client's IP address. */
export class NextRequest implements HttpRequest {
  readonly identity: object
  readonly method: string
  readonly path: string = '/'
  readonly query: string = ''
  readonly #scope: NextScope

  constructor(method: string, scope: NextScope) {
    // Next makes these headers once for each request.
    this.identity = scope.headers
    this.method = method
    this.#scope = scope
  }

  get client(): ClientInfo {
    return createClientInfo(null, this.header('user-agent'))
  }

  header(name: string): string | null {
    const value = this.#scope.headers.get(name)
    return name === 'cookie' ? withChangesOf(this.#scope, value) : value
  }
}

/** An action renders its page in the same request. Cookies that the action set are in the store, not in the header. */
function withChangesOf({ cookies, names }: NextScope, header: string | null): string {
  return overrideCookies(header, names.flatMap(name => {
    const value = cookies.get(name)?.value
    const isReceived = value !== undefined && readCookies(header, name).includes(value)
    return isReceived ? [] : [[name, value || null] as const]
  }))
}

/** Writes to Next's cookie store. A server action cannot set headers; Next itself forbids caching of its response. */
export class NextResponseWriter implements ResponseWriter {
  readonly closed: boolean = false
  readonly #store: NextCookieStore

  constructor(store: NextCookieStore) {
    this.#store = store
  }

  get(): string | null {
    return null
  }

  set(): void {}

  remove(): void {}

  /** Next keeps the last cookie of each name: that is the one with the configured domain and path. */
  setCookies(cookies: readonly Cookie[]): void {
    try {
      for (const { domain, expires, maxAge, ...cookie } of cookies) {
        this.#store.set({
          ...cookie,
          httpOnly: true,
          ...domain === null ? {} : { domain },
          ...expires === null || maxAge === null ? {} : { expires: new Date(expires), maxAge },
        })
      }
    } catch (error) {
      // Next refuses once the action has ended, and while a page is rendered.
      throw responseWasSent(error)
    }
  }

  forbidCaching(): void {}

  /** Next does not tell when it has sent what an action returned. */
  onEnd(): void {}
}
