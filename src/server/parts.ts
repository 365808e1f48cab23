import { callback, having, number, optionsOf, rule, withDefault } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import type { Clock } from '../base/time.ts'
import type { ImportConnector } from '../session/importer.ts'
import type { SessionStore } from '../session/store.ts'
import { httpLimits } from './http/listen.ts'
import type { HttpLimits } from './http/listen.ts'
import type { Logger } from './log.ts'
import type { OpenTelemetry } from './traces.ts'

/** Parts of a server that a program may replace. */
export interface ServerParts {
  /** Opens the store of an application. Default: the store of the settings. */
  readonly openStore?: (appId: string) => Promise<SessionStore>
  /** Receives log messages, such as a pino logger, whose own level applies. Default: JSON lines on standard output. */
  readonly logger?: Logger
  /** `@opentelemetry/api`, for spans in the SDK that the program has registered. Default: no spans. */
  readonly openTelemetry?: OpenTelemetry
  /** Ends the wait for a store that does not answer yet (`storeWait`). Default: none. */
  readonly signal?: AbortSignal
  /**
   * What `importSessions` of `keyturn/import` returns for an application, to take over the sessions of a SuperTokens
   * core (docs/import/supertokens.md); null: nothing. Default: nothing.
   */
  readonly imports?: (appId: string) => ImportConnector | null
  /** The limits on what a client may use, for tests. Default: the usual limits. */
  readonly limits?: Partial<HttpLimits>
  /** The clock, for tests. Default: the system's clock, corrected by the store's. */
  readonly clock?: Clock
}

const milliseconds = number('milliseconds', 1, 3_600_000)

/** The rules for the limits of a server. */
export const limitRules: RulesFor<HttpLimits> = {
  maxHeaderBytes: withDefault(httpLimits.maxHeaderBytes, number('bytes', 1024, 1_048_576)),
  maxConnections: withDefault(httpLimits.maxConnections, number(null, 1, 1_000_000)),
  headersTimeout: withDefault(httpLimits.headersTimeout, milliseconds),
  requestTimeout: withDefault(httpLimits.requestTimeout, milliseconds),
  keepAliveTimeout: withDefault(httpLimits.keepAliveTimeout, milliseconds),
}

/** The rules for the parts of a server. */
export const partRules: RulesFor<ServerParts> = {
  openStore: callback<(appId: string) => Promise<SessionStore>>(),
  logger: having<Logger>('a logger with debug, info, warn and error', 'debug', 'info', 'warn', 'error'),
  openTelemetry: rule('the module @opentelemetry/api', (value): value is OpenTelemetry => (
    typeof value === 'object' && value !== null && 'context' in value && 'propagation' in value && 'trace' in value
  )),
  signal: having<AbortSignal>('an AbortSignal', 'addEventListener'),
  imports: callback<(appId: string) => ImportConnector | null>(),
  limits: optionsOf<Partial<HttpLimits>>(limitRules),
  clock: callback<Clock>(),
}
