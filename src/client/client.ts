import type { TransferMode } from '../base/wire.ts'
import type { ClientStorage, Fetch } from './environment.ts'
import type { Exchanges } from './exchange.ts'
import type { ClientSession } from './session.ts'

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
  /** Whether to refresh shortly before expiry while the page is visible, so that no request waits. Default: false. */
  readonly refreshAhead?: boolean
  /** The server's `sessionExpiredStatusCode`, from 400 to 499. Default: 401. */
  readonly sessionExpiredStatusCode?: number
  /** The function that sends requests. Default: the global `fetch` when the client is created. */
  readonly fetch?: Fetch
}

/** Called when the session begins, changes, is refreshed or ends, in this tab or in another. */
export type SessionListener<Payload extends object> = (
  session: ClientSession<Payload> | null,
  previous: ClientSession<Payload> | null,
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
   * The session; null if there is none. Refreshes an access token that has expired. If this browser has no record of
   * the session, asks the server once.
   * @throws SessionUnavailableError if this browser has no record and the server cannot be reached.
   */
  getSession(): Promise<ClientSession<Payload> | null>
  /** The session as far as it is known; undefined if the server was not asked yet. The same object until it changes. */
  peekSession(): ClientSession<Payload> | null | undefined
  /**
   * Gets a new access token now, and resolves to whether there is a session. Call it after a login that no script could
   * see, such as a redirect from an identity provider.
   * @throws SessionUnavailableError if the server cannot be reached.
   */
  refresh(): Promise<boolean>
  /**
   * Like {@link Client.fetch}, for the request with which the user proves again who they are, such as with a password.
   * The server answers it with new tokens and then accepts no older refresh token, so it is sent while no tab refreshes.
   * @throws SessionUnavailableError if the server requires a refresh and the refresh failed. The session is kept.
   */
  readonly reauthenticate: Fetch
  /** Ends the session, here and on the server. @throws SessionUnavailableError if the server cannot be reached. */
  signOut(): Promise<void>
  /** Adds a listener. Returns a function that removes it. */
  onChange(listener: SessionListener<Payload>): () => void
  /** Stops listening to other tabs, removes all listeners and stops all timers. */
  close(): void
}
