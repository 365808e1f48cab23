import type { TransferMode } from '../base/wire.ts'
import { originOf, parseAddress } from './address.ts'
import { sessionHeaders } from './server-reply.ts'
import type { ServerReply } from './server-reply.ts'
import { decideAfterRefusal } from './decide.ts'
import type { SharedState } from './shared-state.ts'
import type { ClientRefreshResult, Refresher } from './refresher.ts'

/** How to send a request of the application. */
export interface SendingOptions {
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

/** Creates the {@link Exchanges} of a client. */
export function createExchanges(
  state: SharedState,
  refresher: Refresher,
  { mode, base, origin, expiredStatus }: {
    readonly mode: TransferMode
    /** The base of relative addresses; undefined if they cannot be resolved. */
    readonly base: string | undefined
    /** The server's origin, as {@link originOf} returns it; empty if no request carries a session. */
    readonly origin: string
    readonly expiredStatus: number
  },
): Exchanges {
  const resolve = (address: string, from = base): string | null => parseAddress(address, from)?.href ?? null

  function isOurs(address: string): boolean {
    const url = parseAddress(address, base)
    return url !== null && originOf(url) === origin
  }

  async function begin({ signal, urgent = false }: SendingOptions): Promise<Exchange> {
    let outcome: ClientRefreshResult | null = null
    const refresh = async (): Promise<void> => {
      outcome = await Promise.race([refresher.refresh(state.current()), untilAborted(signal)])
    }

    await state.ready
    if (!urgent && state.isExpired()) await refresh()
    let sent = state.current()

    async function answered(answer: ServerReply, canRepeat: boolean): Promise<boolean> {
      // A redirect may have led to another origin.
      if (answer.url && !isOurs(answer.url)) return false
      await state.take(answer.headers, sent)
      if (answer.status !== expiredStatus) return false
      if (canRepeat && outcome === null) {
        const current = state.current()
        const decision = decideAfterRefusal(mode, sent, current, state.isExpired(), refresher.isSettled(current))
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
      answered,
    }
  }

  return { mode, resolve, isOurs, begin }
}

/** Rejects when the caller aborts. The refresh continues for other callers. */
function untilAborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(signal?.reason)
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort)
  })
}
