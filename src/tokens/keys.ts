import type { SignatureAlgorithm } from './crypto.ts'
import { createRingKeeper } from './key-keeper.ts'
import type { KeyKeeper, RingKeeperDependencies, RingMaker } from './key-keeper.ts'
import type { LoadedKey } from './key-material.ts'
import { createKeyRing } from './key-ring.ts'
import type { AccessKey, KeyRing } from './key-ring.ts'
import type { Application, RefreshKey } from './refresh-token.ts'

export type { KeyKeeper } from './key-keeper.ts'

/** What the key keeper of an application needs. */
export interface KeyKeeperDependencies extends RingKeeperDependencies {
  /** Which kind of access key to make. Keys of other kinds go on verifying until they retire. */
  readonly algorithm: SignatureAlgorithm
  /** The application whose refresh tokens are accepted. */
  readonly application: Application
}

/** Makes the key keeper of a process. Reads nothing yet. @throws GeneralError (`MISUSE`) for short secrets (TOK-22). */
export function createKeyKeeper(dependencies: KeyKeeperDependencies): KeyKeeper {
  const { crypto, algorithm, application } = dependencies
  const maker: RingMaker<LoadedKey, KeyRing> = {
    demands: [
      { purpose: 'access', algorithm },
      { purpose: 'refresh', algorithm: 'HMAC-SHA-256' },
    ],
    load: (vault, stored) => vault.load(stored, application),
    ring(keys, epoch) {
      const accessKeys: AccessKey[] = []
      const refreshKeys: RefreshKey[] = []
      for (const { purpose, key } of keys) {
        if (purpose === 'access') accessKeys.push(key)
        else refreshKeys.push(key)
      }
      return createKeyRing(crypto, accessKeys, refreshKeys, epoch)
    },
  }
  return createRingKeeper(dependencies, maker)
}
