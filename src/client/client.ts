import type { TransferMode } from '../base/wire.ts'
import type { ClientStorage, Fetch } from './environment.ts'
import type { Exchanges, RefreshOn } from './exchange.ts'
import type { ClientSession, SessionView } from './session.ts'

/** Options of `createClient`. */
export interface ClientOptions {
  /** The URL of the server, as in the server's `origin`. Default: the origin of the page. */
  readonly baseUrl?: string
  /** The server's `basePath`. Default: `/auth`. */
  readonly basePath?: string
  /** How tokens are sent: `header` is for native shells, where cookies do not work. Default: `cookie`. */
  readonly mode?: TransferMode
  /** Where the client keeps the state of the session; in header mode the tokens too. Default: `localStorage`. */
  readonly storage?: ClientStorage
  /** The server's `sessionExpiredStatusCode`, from 400 to 499. Default: 401. */
  readonly sessionExpiredStatusCode?: number
  /** Whether a response asks for a refresh. Default: every response with `sessionExpiredStatusCode` does. */
  readonly refreshOn?: RefreshOn
  /** The function that sends requests. Default: the global `fetch` when the client is created. */
  readonly fetch?: Fetch
}

/** Called when the session begins, changes or ends, in this tab or in another. */
export type SessionListener<Payload extends object> = (
  view: SessionView<Payload>,
  previous: SessionView<Payload>,
) => void

/** The sessions of one server, in a browser or a native shell. */
export interface Client<Payload extends object> {
  /**
   * Like the platform's `fetch`. It sends the session with requests to the session's server, and to no other.
   * @throws SessionUnavailableError if the server requires a refresh and the refresh failed. The session is kept.
   */
  readonly fetch: Fetch
  /** For integrations with other ways to send requests, such as axios. */
  readonly exchanges: Exchanges
  /**
   * The session; null if there is none. Refreshes an access token that has expired. `signal` ends the wait for that,
   * not the refresh, which other calls may wait for.
   * @throws SessionUnavailableError if the session is unknown and the server or the storage does not answer.
   */
  getSession(options?: Pick<RequestInit, 'signal'>): Promise<ClientSession<Payload> | null>
  /** The session as far as it is known; undefined if it is not known yet. The same object until it changes. */
  peekSession(): ClientSession<Payload> | null | undefined
  /** The session and what is known about it, such as why it has ended. The same object until it changes. */
  view(): SessionView<Payload>
  /** When the access token expires, in milliseconds since 1970 by this device's clock; null without one. */
  expiry(): number | null
  /**
   * Gets a new access token now, and resolves to whether there is a session. Call it after a login that no script could
   * see, such as a redirect from an identity provider. `signal` ends the wait, not the refresh.
   * @throws SessionUnavailableError if the server cannot be reached.
   */
  refresh(options?: Pick<RequestInit, 'signal'>): Promise<boolean>
  /**
   * Ends the session: here and in the other tabs at once, then on the server. Resolves to whether the server has
   * confirmed it. If it cannot be reached, the client sends the sign-out when it is back, and before any other request.
   */
  signOut(): Promise<boolean>
  /** Adds a listener. Returns a function that removes it. */
  onChange(listener: SessionListener<Payload>): () => void
  /** Stops listening to other tabs, removes all listeners and stops all timers. */
  close(): void
}
