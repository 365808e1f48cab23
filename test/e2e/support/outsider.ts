// Those who reach the example without the browser of the test: the user's other device, and a thief.

/** Another device of a user, logged in with its tokens in headers. */
export interface Device {
  readonly handle: string
  /** Calls the example with the device's access token, refreshed if it has expired. The status. */
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
  let renewal = bearer(login, 'st-refresh-token')
  const send = async (method: string, path: string): Promise<number> => (
    (await fetch(origin + path, { method, headers: { authorization } })).status
  )
  return {
    handle,
    async call(method, path) {
      const status = await send(method, path)
      if (status !== 401) return status
      // Its access token may have expired meanwhile; that its session has ended, the refresh tells.
      const refreshed = await fetch(`${origin}/auth/session/refresh`, {
        method: 'POST', headers: { authorization: renewal },
      })
      if (!refreshed.ok) return status
      authorization = bearer(refreshed, 'st-access-token')
      renewal = bearer(refreshed, 'st-refresh-token')
      return send(method, path)
    },
  }
}

/** What was copied from a browser: its session cookies, or the refresh token that its page keeps. */
export type Loot = { readonly cookies: string } | { readonly refreshToken: string }

/** Refreshes with what was copied, and goes on with what it gets. */
export class Thief {
  readonly #origin: string
  #loot: Loot

  constructor(origin: string, loot: Loot) {
    this.#origin = origin
    this.#loot = loot
  }

  /** The status and the message of the answer. */
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
