// Those who reach the example without the browser of the test: the user's other device, and a thief.

/** Another device of a user, logged in with its tokens in headers. */
export interface Device {
  readonly handle: string
  /** Calls the example with the device's access token. The status. */
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
  const authorization = `Bearer ${login.headers.get('st-access-token')}`
  return {
    handle,
    call: async (method, path) => (await fetch(origin + path, { method, headers: { authorization } })).status,
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
