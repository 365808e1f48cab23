import type { Awaitable } from '../base/awaitable.ts'
import { duration, toMilliseconds } from '../base/duration.ts'
import type { Duration } from '../base/duration.ts'
import { callback, checkOptions, having, listOf, oneOf, refuse, required, rule, withDefault } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import type { LiveForeignSession, SessionImporter } from '../session/importer.ts'

/**
 * `keep`: the old cookie and the old data stay, so that you can go back. `retire`: they are deleted when a session is
 * taken over.
 */
export type ImportMode = 'keep' | 'retire'

/** The options of `importSessions`. */
export interface ImportOptions {
  /** The importers, in the order in which they look at a request. */
  readonly importers: readonly SessionImporter[]
  /**
   * When the import ends: a date, or a string such as `2027-01-31`, at most 400 days ahead. Old credentials count as
   * absent from then on. Choose the longest life of a session in the old system, or less.
   */
  readonly until: Date | string
  /** What happens to the old session: `keep` for a trial, `retire` for good. Default: `keep`. */
  readonly mode?: ImportMode
  /**
   * Which sessions to take over, for a trial with some users. Old credentials of other users count as absent. It must
   * give the same answer for a user every time. Default: all.
   */
  readonly select?: (session: LiveForeignSession) => Awaitable<boolean>
  /**
   * What to do if the old credential arrives again when the client has used newer tokens: `refuse` it, or also `revoke`
   * the session. Browsers do that without an attack: after going back, from a copy of the cookies. Default: `refuse`.
   */
  readonly replay?: 'refuse' | 'revoke'
  /** How long a request waits for the old system's data: from 10 ms to 1 minute. Default: 5 seconds. */
  readonly sourceTimeout?: Duration
}

/** The checked options. */
export interface ImportPlan {
  /** The importers, in the order in which they look at a request. */
  readonly importers: readonly SessionImporter[]
  /** When the import ends, in milliseconds since 1970. */
  readonly until: EpochMilliseconds
  /** What happens to the old session: `keep` or `retire`. */
  readonly mode: ImportMode
  /** Which sessions to take over. */
  readonly select: (session: LiveForeignSession) => Awaitable<boolean>
  /** What to do if the old credential arrives again when the client has used newer tokens. */
  readonly replay: 'refuse' | 'revoke'
  /** How long a request waits for the old system's data, in milliseconds. */
  readonly sourceTimeout: Milliseconds
}

const DAY: Milliseconds = 86_400_000

/** How long claims are kept after the end: so the end can be moved by that much in all without reviving a session. */
export const CLAIM_MARGIN: Milliseconds = 30 * DAY

const importerRule = having<SessionImporter>(
  'an importer of keyturn/import, or an object with the same methods', 'read', 'judge', 'clearings')

const rules = {
  importers: required(listOf('an array of importers', importerRule)),
  until: required(rule('a date, or a string such as "2027-01-31"', (value): value is Date | string => (
    Number.isFinite(timeOf(value))
  ))),
  mode: withDefault('keep', oneOf('keep', 'retire')),
  select: callback<ImportPlan['select']>(),
  replay: withDefault('refuse', oneOf('refuse', 'revoke')),
  sourceTimeout: withDefault(5, duration(0.01, 60)),
} satisfies RulesFor<ImportOptions>

/** The rules of the options of `importSessions`. */
export const importRules: RulesFor<ImportOptions> = rules

/** The form of a source's name. */
const SOURCE = /^[a-z0-9-]{1,32}$/

/** Checks the options. @throws GeneralError (`MISUSE`) */
export function createPlan(options: ImportOptions): ImportPlan {
  checkOptions('importSessions', importRules, options)
  const { importers, mode = rules.mode.defaultValue, replay = rules.replay.defaultValue } = options
  const sources = importers.map(({ source }) => source)
  for (const source of sources) {
    if (!SOURCE.test(source)) refuse('source', '1 to 32 lower-case letters, digits and hyphens', source)
    if (sources.filter(each => each === source).length > 1) refuse('importers', 'of different sources', source)
  }
  return {
    importers,
    until: timeOf(options.until),
    mode,
    select: options.select ?? (() => true),
    replay,
    sourceTimeout: toMilliseconds(options.sourceTimeout ?? rules.sourceTimeout.defaultValue),
  }
}

/** The longest time for which an import may be planned. */
export const LONGEST_IMPORT: Milliseconds = 400 * DAY

/**
 * Refuses an end that is too far: an import without an end stays, with its secrets. Called when the clock is known.
 * @throws GeneralError (`MISUSE`)
 */
export function requireEnd({ until }: ImportPlan, now: EpochMilliseconds): void {
  if (until - now > LONGEST_IMPORT) refuse('until', 'at most 400 days ahead', new Date(until).toISOString())
}

function timeOf(value: unknown): EpochMilliseconds {
  if (value instanceof Date) return value.getTime()
  return typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : Number.NaN
}
