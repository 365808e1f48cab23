import { createClientInfo } from '../session/client-info.ts'
import type { ClientInfo } from '../session/record.ts'
import { readCookies } from '../transport/cookies.ts'
import type { HttpRequest, ResponseWriter } from '../transport/exchange.ts'
import { overrideCookies } from '../transport/request-cookies.ts'
import type { Cookie } from '../transport/set-cookie.ts'

/** The slice of Next's cookie store that is used. */
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

/** What Next tells of the request that is being served, inside a server action or a server component. */
export interface NextScope {
  readonly headers: Pick<Headers, 'get'>
  readonly cookies: NextCookieStore
  /** The names of the cookies that carry tokens. */
  readonly names: readonly string[]
}

/** Shows the request that is being served as a request. Next tells neither its path nor its sender. */
export class NextRequest implements HttpRequest {
  readonly method: string
  readonly path: string = '/'
  readonly #scope: NextScope

  constructor(method: string, scope: NextScope) {
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

/** The page that an action renders is the same request: what the action set is in the store and not in the header. */
function withChangesOf({ cookies, names }: NextScope, header: string | null): string {
  return overrideCookies(header, names.flatMap(name => {
    const value = cookies.get(name)?.value
    const isReceived = value !== undefined && readCookies(header, name).includes(value)
    return isReceived ? [] : [[name, value || null] as const]
  }))
}

/**
 * Shows Next's cookie store as a reply. A server action can set no headers; Next itself forbids caching its answer.
 */
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

  /** Next keeps one cookie of a name, the last: that is the one at the configured place. */
  setCookies(cookies: readonly Cookie[]): void {
    for (const { domain, expires, ...cookie } of cookies) {
      this.#store.set({
        ...cookie,
        httpOnly: true,
        ...domain === null ? {} : { domain },
        ...expires === null ? {} : { expires: new Date(expires) },
      })
    }
  }

  forbidCaching(): void {}
}
