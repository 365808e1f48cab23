import { duration } from '../base/duration.ts'
import type { Duration } from '../base/duration.ts'
import { having, withDefault } from '../base/options.ts'
import type { Rule, RulesFor } from '../base/options.ts'

/** Options of `ready`. */
export interface ReadyOptions {
  /** How long to wait: from 1 ms to 1 hour. What was begun goes on; a later call joins it. Default: 10 seconds. */
  readonly timeout?: Duration
  /** Ends the wait with the signal's reason. Default: none. */
  readonly signal?: AbortSignal
}

/** The rules of the options of `ready`. */
export const readyRules: RulesFor<ReadyOptions> & { readonly timeout: Rule<Duration, number> } = {
  timeout: withDefault(10, duration(0.001, 3600)),
  signal: having<AbortSignal>('an AbortSignal', 'addEventListener', 'throwIfAborted'),
}
