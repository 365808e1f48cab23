import type { TransferMode } from '../base/wire.ts'
import { originOf } from './address.ts'
import { sessionHeaders } from './server-reply.ts'
import type { ServerReply } from './server-reply.ts'
import { decideAfterRefusal, REFRESH_MESSAGE } from './decide.ts'
import type { ClientEnvironment } from './environment.ts'
import { SessionUnavailableError } from './errors.ts'
import type { ClientSettings } from './internals.ts'
import type { SharedState } from './shared-state.ts'
import type { ClientRefreshResult, Refresher } from './refresher.ts'
import type { SendSignOut } from './sign-out.ts'
import { orAborted, orLate } from './wait.ts'

/** How to send a request of the application. */
export interface SendingOptions {
  /** The absolute address. */
  readonly url: string
  readonly signal?: AbortSignal | null | undefined
  /** Whether to send at once even if the access token has expired, because the page may be closing. */
  readonly urgent?: boolean | undefined
}

/** One request of the application to the session's server. It is sent once or twice, with at most one refresh. */
export interface Exchange {
  /** The headers to add before the request is sent, each time. */
  headers(): [name: string, value: string][]
  /** Whether the request may be sent a second time, so that its body is needed again. */
  mayRepeat(): boolean
  /**
   * Processes a response. Resolves to whether to send the request again, with new {@link Exchange.headers}; to false
   * if not `canRepeat`, as for the response to the second attempt.
   * @throws SessionUnavailableError if the server requires a refresh and the refresh failed.
   */
  answered(answer: ServerReply, canRepeat: boolean): Promise<boolean>
}

/** What all integrations (`fetch`, axios) use to send requests with the session. */
export interface Exchanges {
  readonly mode: TransferMode
  /**
   * Resolves `address` against `base`, by default the client's `baseUrl`; null if it is invalid. Check this address
   * with `isOurs` and send to it: the platform would resolve against `<base href>`.
   */
  resolve(address: string, base?: string): string | null
  /** Whether requests to this address carry the session: its origin must be exactly the server's (CSRF-12). */
  isOurs(address: string): boolean
  /** Begins a request. If the access token has expired, refreshes it first, unless the request is `urgent`. */
  begin(options: SendingOptions): Promise<Exchange>
}

/** Whether a response asks for a refresh; `message` is that of its JSON body; false for a success (not read). */
export type RefreshOn = (answer: {
  readonly status: number
  readonly url: string
  readonly headers: Headers
  readonly message: unknown
}) => boolean

/** How long the body of a refused request may take, in milliseconds. */
const BODY_TIMEOUT = 2000

/** Creates the {@link Exchanges} of a client. */
export function createExchanges(
  env: Pick<ClientEnvironment, 'after' | 'now' | 'parseAddress'>,
  state: SharedState,
  refresher: Pick<Refresher, 'refresh' | 'isSettled'>,
  sendSignOut: SendSignOut,
  { mode, base, origin, expiredStatus, refreshOn }: ClientSettings,
): Exchanges {
  /** Routes that have refused a request again after a refresh, with the access token of that refresh. */
  const futile = new Set<string>()
  const resolve = (address: string, from = base): string | null => env.parseAddress(address, from)?.href ?? null

  function isOurs(address: string): boolean {
    const url = env.parseAddress(address, base)
    return url !== null && originOf(url) === origin
  }

  async function begin({ url, signal, urgent }: SendingOptions): Promise<Exchange> {
    let outcome: ClientRefreshResult | null = null
    const route = url.split('?', 1)[0] ?? ''
    const refresh = async (): Promise<void> => {
      outcome = await refresher.refresh(state.current())
    }

    await state.ready
    // In cookie mode the request would carry the session that the user has left.
    if (state.current()?.signOut && !urgent && !await sendSignOut()) {
      throw new SessionUnavailableError(null)
    }
    if (!urgent && state.isExpired()) await refresh()
    let sent = state.current()

    async function answered(answer: ServerReply, canRepeat: boolean): Promise<boolean> {
      const { status, headers } = answer
      // A redirect may have led to another origin.
      if (answer.url && !isOurs(answer.url)) return false
      await state.dispatch({ type: 'response', sent, headers, now: env.now().wall })
      if (status !== expiredStatus && !refreshOn) return false
      // Streams and downloads that succeed arrive at once.
      const message = status >= 300 && await orLate(env, BODY_TIMEOUT, answer.message())
      if (refreshOn && !refreshOn({ status, url, headers, message })) return false
      const current = state.current()
      const key = `${route} ${current?.front}`
      if (!canRepeat || outcome === 'refreshed') futile.add(key)
      if (canRepeat && outcome === null) {
        const settled = refresher.isSettled(current)
        const asks = refreshOn ? REFRESH_MESSAGE : message
        const decision = decideAfterRefusal(mode, sent, current, state.isExpired(), settled, futile.has(key), asks)
        if (decision === 'refresh') await refresh()
        const before = sent?.front
        sent = state.current()
        if (decision !== 'return' && sent?.front && sent.front !== before) return true
      }
      if (outcome instanceof Error) throw outcome
      return false
    }

    return {
      headers: () => sessionHeaders(mode, sent?.antiCsrf, sent?.accessToken),
      mayRepeat: () => outcome === null && sent?.front !== null,
      answered: (answer, canRepeat) => orAborted(signal, answered(answer, canRepeat)),
    }
  }

  return { mode, resolve, isOurs, begin: options => orAborted(options.signal, begin(options)) }
}
