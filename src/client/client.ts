import type { TransferMode } from '../base/wire.ts'
import type { ClientStorage, Fetch } from './environment.ts'
import type { Exchanges } from './exchange.ts'
import type { ClientSession } from './session.ts'

/** How a client finds its server. */
export interface ClientOptions {
  /** Where the server is reached, as the server's `origin` says. Default: where the page came from. */
  readonly baseUrl?: string
  /** The server's `basePath`. Default: `/auth`. */
  readonly basePath?: string
  /** Where tokens travel: `header` is for native shells, where cookies do not work. Default: `cookie`. */
  readonly mode?: TransferMode
  /** Where the client keeps what it knows; in header mode the tokens too. Default: `localStorage`. */
  readonly storage?: ClientStorage
  /** Refreshes shortly before expiry while the page is visible, so that no request waits. Default: false. */
  readonly refreshAhead?: boolean
  /** The server's `sessionExpiredStatusCode`, from 400 to 499. Default: 401. */
  readonly sessionExpiredStatusCode?: number
  /** What sends requests. Default: the global `fetch` as it is now. */
  readonly fetch?: Fetch
}

/** Is called when the session begins, changes, is refreshed or ends, in this tab or in another. */
export type SessionListener<Payload extends object> = (
  session: ClientSession<Payload> | null,
  previous: ClientSession<Payload> | null,
) => void

/** The sessions of one server, in a browser or a native shell. */
export interface Client<Payload extends object> {
  /**
   * Like the platform's `fetch`; carries the session to its server, and to no other.
   * @throws SessionUnavailableError if the server wants a refresh and none could be had. The session is kept.
   */
  readonly fetch: Fetch
  /** What other ways to send requests build on. */
  readonly exchanges: Exchanges
  /**
   * The session; null if there is none. Refreshes an access token that has expired, and asks the server once where
   * this browser knows nothing.
   * @throws SessionUnavailableError if it knows nothing and the server can not be asked.
   */
  getSession(): Promise<ClientSession<Payload> | null>
  /** The session as far as it is known; undefined if the server was not asked yet. The same object until it changes. */
  peekSession(): ClientSession<Payload> | null | undefined
  /**
   * Gets a new access token now. Whether there is a session: after a login that no script could see, such as a
   * redirect from an identity provider, this finds it.
   * @throws SessionUnavailableError if the server can not be asked.
   */
  refresh(): Promise<boolean>
  /** Ends the session, here and on the server. @throws SessionUnavailableError if the server can not be asked. */
  signOut(): Promise<void>
  /** Listens. Returns how to stop. */
  onChange(listener: SessionListener<Payload>): () => void
  /** Stops listening to other tabs, and all timers. */
  close(): void
}
