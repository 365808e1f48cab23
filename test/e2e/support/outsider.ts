// Clients of the example besides the browser of the test: another device of the user, and a thief.

/** Another device of a user, logged in with its tokens in headers. */
export interface Device {
  readonly handle: string
  /** Calls the example with the device's access token, refreshed if it has expired. Resolves to the status. */
  call(method: string, path: string): Promise<number>
}

/** Logs in on another device. */
export async function logInElsewhere(origin: string, userId: string): Promise<Device> {
  const login = await fetch(`${origin}/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'st-auth-mode': 'header', 'user-agent': 'Firefox/150.0' },
    body: JSON.stringify({ userId }),
  })
  const { handle }: { handle: string } = await login.json()
  const bearer = (answer: Response, token: string): string => `Bearer ${answer.headers.get(token)}`
  let authorization = bearer(login, 'st-access-token')
  let refreshAuthorization = bearer(login, 'st-refresh-token')
  const send = async (method: string, path: string): Promise<number> => (
    (await fetch(origin + path, { method, headers: { authorization } })).status
  )
  return {
    handle,
    async call(method, path) {
      const status = await send(method, path)
      if (status !== 401) return status
      // The access token may have expired. If the session has ended, the refresh fails.
      const refreshed = await fetch(`${origin}/auth/session/refresh`, {
        method: 'POST', headers: { authorization: refreshAuthorization },
      })
      if (!refreshed.ok) return status
      authorization = bearer(refreshed, 'st-access-token')
      refreshAuthorization = bearer(refreshed, 'st-refresh-token')
      return send(method, path)
    },
  }
}

/** Credentials that were copied from a browser: its session cookies, or the refresh token that its page keeps. */
export type Loot = { readonly cookies: string } | { readonly refreshToken: string }

/** Refreshes with the copied credentials, and then with those that it receives. */
export class Thief {
  readonly #origin: string
  #loot: Loot

  constructor(origin: string, loot: Loot) {
    this.#origin = origin
    this.#loot = loot
  }

  /** Refreshes. Resolves to the status and the message of the response. */
  async refresh(): Promise<string> {
    const credentials = 'cookies' in this.#loot
      ? { cookie: this.#loot.cookies }
      : { authorization: `Bearer ${this.#loot.refreshToken}` }
    const response = await fetch(`${this.#origin}/auth/session/refresh`, {
      method: 'POST', headers: { rid: 'session', ...credentials },
    })
    const { message = '' }: { message?: string } = await response.json()
    if (response.ok) {
      this.#loot = 'cookies' in this.#loot
        ? { cookies: response.headers.getSetCookie().map(line => line.split(';')[0]).join('; ') }
        : { refreshToken: response.headers.get('st-refresh-token') ?? '' }
    }
    return `${response.status} ${message}`.trim()
  }
}
