import type { TransferMode } from '../base/wire.ts'
import { originOf, parseAddress } from './address.ts'
import { sessionHeaders } from './server-reply.ts'
import type { ServerReply } from './server-reply.ts'
import { decideAfterRefusal } from './decide.ts'
import type { SharedState } from './shared-state.ts'
import type { ClientRefreshResult, Refresher } from './refresher.ts'

/** How a caller's request is to be sent. */
export interface SendingOptions {
  readonly signal?: AbortSignal | null | undefined
  /** Sends at once even if the access token has expired: the page may be about to close. */
  readonly urgent?: boolean | undefined
}

/** One request of the application to the session's server: sent once or twice, refreshed for at most once. */
export interface Exchange {
  /** The headers to add to the next sending. */
  headers(): [name: string, value: string][]
  /** Whether the request may be sent a second time, so that its body is needed again. */
  mayRepeat(): boolean
  /**
   * Takes in an answer. Whether the request is to be sent again, with new {@link Exchange.headers}; never if not
   * `canRepeat`, as for the answer to the second time.
   * @throws SessionUnavailableError if the server wants a refresh and none could be had.
   */
  answered(answer: ServerReply, canRepeat: boolean): Promise<boolean>
}

/** What every way of sending requests shares. */
export interface Exchanges {
  readonly mode: TransferMode
  /**
   * The absolute address that `address` means, resolved against `base`, by default the client's `baseUrl`; null if it
   * is none. Judge this one and send to it: the platform would resolve against `<base href>`.
   */
  resolve(address: string, base?: string): string | null
  /** Whether requests to this address carry the session: its origin is exactly the server's (CSRF-12). */
  isOurs(address: string): boolean
  /** Begins a request; an access token that has expired is refreshed first. */
  begin(options: SendingOptions): Promise<Exchange>
}

/** Makes what every way of sending requests shares. */
export function createExchanges(
  state: SharedState,
  refresher: Refresher,
  { mode, base, origin, expiredStatus }: {
    readonly mode: TransferMode
    /** Undefined where nothing relative can be resolved. */
    readonly base: string | undefined
    /** As {@link originOf} has it; empty if no request carries a session. */
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
      // A redirect may have led elsewhere.
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

/** Rejects when the caller gives up. What was waited for goes on for others. */
function untilAborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(signal?.reason)
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort)
  })
}
