import { startRetryingProxy } from './retrying-proxy.ts'

/** A server in a process of its own. */
export interface Restartable {
  /** Sends a signal and waits for the end of the process. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<unknown>
}

/** What is run. */
export interface RestartPlan {
  /** The port that every server listens on. */
  readonly port: number
  /** Starts a server, and resolves when it listens. */
  readonly start: () => Promise<Restartable>
  /** How many requests are sent in all. */
  readonly requests: number
  /** How many clients send them, each with a session of its own. */
  readonly clients: number
}

/** What happened. */
export interface RestartReport {
  readonly requests: number
  /** The first failures: what the proxy answered in the end. */
  readonly failures: readonly string[]
  /** How many requests the proxy repeated. */
  readonly retries: number
  /** The signals that ended servers. */
  readonly signals: readonly string[]
}

/** Three graceful restarts, then one by force, spread over the run. */
const restarts = [
  { at: 0.2, signal: 'SIGTERM' }, { at: 0.4, signal: 'SIGTERM' }, { at: 0.6, signal: 'SIGTERM' },
  { at: 0.8, signal: 'SIGKILL' },
] as const

const json = { 'content-type': 'application/json' }

/**
 * Sends requests through a proxy that repeats them, while the server behind it is restarted. Each client logs in, and
 * then verifies and refreshes its session in turn: every answer must be a success.
 */
export async function runRestarts({ port, start, requests, clients }: RestartPlan): Promise<RestartReport> {
  let server = await start()
  const proxy = await startRetryingProxy(port)
  const failures: string[] = []
  const signals: string[] = []
  const left = restarts.map(({ at, signal }) => ({ after: Math.floor(at * requests), signal }))
  let sent = 0
  let restarting: Promise<void> = Promise.resolve()

  async function call(path: string, body: string, type: string): Promise<Readonly<Record<string, unknown>>> {
    sent += 1
    const due = left[0]
    if (due !== undefined && sent > due.after) {
      left.shift()
      restarting = restarting.then(async () => {
        signals.push(due.signal)
        await server.end(due.signal)
        server = await start()
      })
    }
    const response = await fetch(`${proxy.url}${path}`, {
      method: 'POST',
      body,
      headers: { ...json, 'content-type': type },
    })
    const text = await response.text()
    if (!response.ok) failures.push(`${path}: ${response.status} ${text}`)
    return response.ok ? JSON.parse(text) as Readonly<Record<string, unknown>> : {}
  }

  const logIn = (user: number): ReturnType<typeof call> => (
    call('/v1/sessions', JSON.stringify({ userId: `user-${user}` }), 'application/json')
  )

  async function live(user: number): Promise<void> {
    let pair = await logIn(user)
    while (sent < requests && failures.length === 0) {
      const state = await call('/v1/introspect', `token=${String(pair['accessToken'])}`,
        'application/x-www-form-urlencoded')
      if (state['active'] !== true) failures.push(`user ${user}: a session was lost`)
      if (sent >= requests || failures.length > 0) break
      const refreshToken = pair['refreshToken']
      pair = await call('/v1/sessions/refresh', JSON.stringify({ refreshToken }), 'application/json')
    }
  }

  try {
    await Promise.all(Array.from({ length: clients }, (_, user) => live(user)))
    await restarting
    return { requests: sent, failures: failures.slice(0, 5), retries: proxy.retries, signals }
  } finally {
    await restarting
    await server.end('SIGKILL')
    await proxy.close()
  }
}
