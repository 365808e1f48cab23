import type { JsonObject } from '../base/json.ts'
import { checkSize, createDataCodec } from '../session/application-data.ts'
import { createConfirmations } from '../session/confirmations.ts'
import type { Confirmations } from '../session/confirmations.ts'
import type { SessionEvents } from '../session/events.ts'
import { createFoundation } from '../session/foundation.ts'
import type { Foundation, FoundationDependencies } from '../session/foundation.ts'
import type { Codecs } from '../session/internals.ts'
import { createKeyKeeper } from '../tokens/key-keeper.ts'
import type { KeyKeeper } from '../tokens/key-keeper.ts'
import { createKeyVault } from '../tokens/key-material.ts'
import { createKeyPolicy } from '../tokens/plan-rotation.ts'

/** The sessions of one application: its store, its keys, its rules. Nothing is shared between two of them. */
export interface App extends Foundation, Codecs<JsonObject, JsonObject> {
  readonly keys: KeyKeeper
  readonly confirmations: Confirmations
  close(): Promise<void>
}

/** What an {@link App} is made of. */
export interface AppDependencies extends FoundationDependencies {
  /** Its name in the store, which refresh tokens are bound to. */
  readonly application: string
  /** The first encrypts the keys in the store, any decrypts them; none: they are stored unencrypted (ST-02). */
  readonly secrets: readonly string[]
  readonly events: SessionEvents
}

/**
 * The longest payload of an access token, in bytes of its JSON. The token itself, half as long again, still fits a
 * request header; whether it fits a cookie, the SDK's configuration decides.
 */
const MAX_PAYLOAD_BYTES = 5000

/** Puts the sessions of one application together. Opens and reads nothing yet. */
export function createApp(dependencies: AppDependencies): App {
  const foundation: Foundation = createFoundation(dependencies, () => keys.reload())
  const { store, crypto, clock, policy, feed, housekeeping, emit, failed, learnTime } = foundation
  const keys: KeyKeeper = createKeyKeeper({
    store, crypto, clock, learnTime,
    keyPolicy: createKeyPolicy(policy),
    demands: [{ purpose: 'core-dynamic', algorithm: 'RS256' }, { purpose: 'core-static', algorithm: 'RS256' }],
    application: { name: dependencies.application, audience: null },
    createVault: createKeyVault,
    secrets: dependencies.secrets,
    onSessionsEnded: feed.endAll,
    onRotated: key => emit('onKeyRotated', { kid: key.kid, purpose: key.purpose }),
    onError: failed('key rotation'),
  })
  const confirmations = createConfirmations({
    store, schedule: dependencies.schedule, onError: failed('confirmation'),
  })
  return {
    ...foundation,
    keys,
    confirmations,
    payloads: createDataCodec<JsonObject>({
      name: 'payload', schema: undefined, check: (_, json) => checkSize('payload', json, MAX_PAYLOAD_BYTES),
    }),
    infos: createDataCodec<JsonObject>({
      name: 'session data', schema: undefined,
      check: (_, json) => checkSize('session data', json, policy.maxSessionInfoBytes),
    }),
    async close() {
      housekeeping.close()
      await feed.close()
      await confirmations.close()
      await store.close()
    },
  }
}
