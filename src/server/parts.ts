import { callback, having, number, optionsOf, rule, withDefault } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import type { Clock } from '../base/time.ts'
import type { SessionStore } from '../session/store.ts'
import { httpLimits } from './http/listen.ts'
import type { HttpLimits } from './http/listen.ts'
import type { Logger } from './log.ts'
import type { OpenTelemetry } from './traces.ts'

/** What a program may pass in instead of the server's own. */
export interface ServerParts {
  /** Opens the store of an application. Default: by the URL of the settings. */
  readonly openStore?: (appId: string) => Promise<SessionStore>
  /** Takes what happens: a pino logger, say, with a level of its own. Default: JSON lines on standard output. */
  readonly logger?: Logger
  /** `@opentelemetry/api`, for spans in the SDK that the program has registered. Default: no spans. */
  readonly openTelemetry?: OpenTelemetry
  /** What a client may cost, for tests. Default: the usual limits. */
  readonly limits?: Partial<HttpLimits>
  /** Where the time comes from, for tests. Default: the system's clock, corrected by the store's. */
  readonly clock?: Clock
}

const milliseconds = number('milliseconds', 1, 3_600_000)

/** What the limits of a server accept. */
export const limitRules: RulesFor<HttpLimits> = {
  maxHeaderBytes: withDefault(httpLimits.maxHeaderBytes, number('bytes', 1024, 1_048_576)),
  maxConnections: withDefault(httpLimits.maxConnections, number(null, 1, 1_000_000)),
  headersTimeout: withDefault(httpLimits.headersTimeout, milliseconds),
  requestTimeout: withDefault(httpLimits.requestTimeout, milliseconds),
  keepAliveTimeout: withDefault(httpLimits.keepAliveTimeout, milliseconds),
}

/** What the parts of a server accept. */
export const partRules: RulesFor<ServerParts> = {
  openStore: callback<(appId: string) => Promise<SessionStore>>(),
  logger: having<Logger>('a logger with debug, info, warn and error', 'debug', 'info', 'warn', 'error'),
  openTelemetry: rule('the module @opentelemetry/api', (value): value is OpenTelemetry => (
    typeof value === 'object' && value !== null && 'context' in value && 'propagation' in value && 'trace' in value
  )),
  limits: optionsOf<Partial<HttpLimits>>(limitRules),
  clock: callback<Clock>(),
}
