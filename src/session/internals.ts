import type { Entropy } from '../base/entropy.ts'
import type { Clock } from '../base/time.ts'
import type { Crypto } from '../tokens/crypto.ts'
import type { KeyKeeper } from '../tokens/keys.ts'
import type { DataCodec } from './application-data.ts'
import type { Confirmations } from './confirmations.ts'
import type { Emit } from './events.ts'
import type { RevocationFeed } from './feed.ts'
import type { TokenIdentity } from './issue.ts'
import type { SessionPolicy } from './policy.ts'
import type { SessionStore } from './store.ts'

/** What the flows of one application share. Everything that is not a pure rule comes in from here. */
export interface Internals<Payload extends object, Info extends object> {
  readonly store: SessionStore
  readonly crypto: Crypto
  readonly clock: Clock
  readonly entropy: Entropy
  readonly policy: SessionPolicy
  readonly identity: TokenIdentity
  readonly keys: KeyKeeper
  readonly feed: RevocationFeed
  readonly confirmations: Confirmations
  readonly payloads: DataCodec<Payload>
  readonly infos: DataCodec<Info>
  readonly emit: Emit
}
