import type { KeyKeeper } from '../tokens/key-keeper.ts'
import type { DataCodec } from './application-data.ts'
import type { Confirmations } from './confirmations.ts'
import type { Foundation } from './foundation.ts'
import type { TokenIdentity } from './issue.ts'

/** How the application's data enters and leaves the store. */
export interface Codecs<Payload extends object, Info extends object> {
  readonly payloads: DataCodec<Payload>
  readonly infos: DataCodec<Info>
}

/** What the flows of one application share. Everything that is not a pure rule comes in from here. */
export interface Internals<Payload extends object, Info extends object> extends Foundation, Codecs<Payload, Info> {
  readonly identity: TokenIdentity
  readonly keys: KeyKeeper
  readonly confirmations: Confirmations
}
