import { createKeyRingProvider } from '../../src/tokens/key-ring-provider.ts'
import { createKeyPolicy, KEY_ROTATION_INTERVAL } from '../../src/tokens/plan-rotation.ts'
import type { KeyPolicyInput } from '../../src/tokens/plan-rotation.ts'
import type { KeyRingProviderDependencies } from '../../src/tokens/key-ring-provider-dependencies.ts'
import type { KeyRingProvider } from '../../src/tokens/key-ring-provider.ts'
import { nodeCrypto } from '../../src/platform/node-crypto.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import type { KeyStore, StoredKey } from '../../src/tokens/key-store.ts'
import { sampleInstant } from './access-token.ts'

/** The default input of an application's key policy. */
export const sampleKeyPolicy: KeyPolicyInput = {
  keyRotationInterval: KEY_ROTATION_INTERVAL, idleTimeout: 100 * 86_400_000, absoluteTimeout: null,
}

/** A key store for the processes of a test. It counts reads, and can be made unavailable. */
export class SharedKeys {
  now = sampleInstant
  down = false
  reads = 0
  readonly errors: unknown[] = []
  readonly made: StoredKey[] = []
  readonly #store = createMemoryStore()
  readonly store: KeyStore = {
    listKeys: () => {
      this.reads += 1
      return this.#answer(() => this.#store.listKeys())
    },
    addKeyIfNewest: (key, newest) => this.#answer(() => this.#store.addKeyIfNewest(key, newest)),
    replaceKeyMaterial: (kid, current, next) => this.#answer(() => this.#store.replaceKeyMaterial(kid, current, next)),
    removeKey: (kid, keep) => this.#answer(() => this.#store.removeKey(kid, keep)),
  }

  /** The keys as they are stored. */
  keys(): Promise<readonly StoredKey[]> {
    return this.#store.listKeys()
  }

  /** Another process of the application. */
  process(overrides: Partial<KeyRingProviderDependencies> = {}): KeyRingProvider {
    return createKeyRingProvider({
      store: this.store,
      crypto: nodeCrypto,
      clock: () => this.now,
      random: () => 0,
      learnTime: async () => undefined,
      application: { name: 'default', audience: null },
      keyRequests: [{ purpose: 'access', algorithm: 'ES256' }],
      keyPolicy: createKeyPolicy(sampleKeyPolicy),
      secrets: [],
      onRotated: key => this.made.push(key),
      onSessionsEnded: () => undefined,
      onError: error => this.errors.push(error),
      ...overrides,
    })
  }

  async #answer<Value>(ask: () => Promise<Value>): Promise<Value> {
    if (this.down) throw new Error('the store is down')
    return ask()
  }
}
