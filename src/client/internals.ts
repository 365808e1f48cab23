import type { TransferMode } from '../base/wire.ts'
import type { ClientEnvironment } from './environment.ts'
import type { Exchanges, RefreshOn } from './exchange.ts'
import type { Refresher } from './refresher.ts'
import type { SharedState } from './shared-state.ts'

/** What the options say, resolved. */
export interface ClientSettings {
  readonly mode: TransferMode
  /** The name of the lock under which tabs refresh. */
  readonly lock: string
  /** The addresses of the client's own requests, without a query. */
  readonly url: string
  readonly signOutUrl: string
  /** The base of relative addresses; undefined if they cannot be resolved. */
  readonly base: string | undefined
  /** The server's origin, as `originOf` returns it; empty if no request carries a session. */
  readonly origin: string
  readonly expiredStatus: number
  readonly refreshOn: RefreshOn | undefined
}

/** What parts of the client need that are imported by themselves, so that they cost nothing otherwise. */
export interface Internals {
  readonly env: ClientEnvironment
  readonly state: SharedState
  readonly refresher: Refresher
  readonly settings: ClientSettings
  /** Exchanges that refresh with this function. */
  exchangesWith(refresh: Refresher['refresh']): Exchanges
}

/** The internals of each client. */
export const internals: WeakMap<object, Internals> = new WeakMap()

/** The internals of a client of `createClient`. @throws TypeError for anything else */
export function internalsOf(client: object): Internals {
  const found = internals.get(client)
  if (!found) throw new TypeError('the argument must be a client of createClient')
  return found
}
