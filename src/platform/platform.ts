import type { Host } from '../base/host.ts'
import type { Scheduler } from '../base/scheduler.ts'
import type { Clock } from '../base/time.ts'
import type { OpenedConsole } from '../console/create-console.ts'
import type { EmbeddedConsoleParts } from '../console/embedded-console.ts'
import type { SessionStore } from '../session/store.ts'
import type { Crypto } from '../tokens/crypto.ts'

/** What Keyturn needs from a runtime. */
export interface Platform {
  readonly crypto: Crypto
  readonly clock: Clock
  readonly schedule: Scheduler
  readonly host: Host
  /** An environment variable. Undefined where a runtime has none. */
  readonly variable: (name: string) => string | undefined
  /** The default store, for an application that configures none. */
  readonly openDefaultStore: () => SessionStore
  /** Loads the console of an application. It needs its pages, which are files of this package. */
  readonly loadConsole: () => Promise<(parts: EmbeddedConsoleParts) => Promise<OpenedConsole>>
}
