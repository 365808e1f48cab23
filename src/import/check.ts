import { InvalidDataError } from '../base/errors.ts'
import { createCodecs } from '../session/application-data.ts'
import type { StandardSchema } from '../base/standard-schema.ts'
import { callback, checkOptions, number, rule } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import { requireTenantId } from '../session/identifiers.ts'
import type { DeadReason, ForeignVerdict, SessionImporter } from '../session/importer.ts'
import { createPolicy, policyRules } from '../session/policy.ts'
import type { ImportSetup } from './import-sessions.ts'

/** Why a session would not come over: `anonymous` and the reasons of the system, or `unwritable`: see its example. */
export type CheckReason = DeadReason | 'anonymous' | 'reused' | 'not-selected' | 'unwritable'

/** A session that would not come over. */
export interface CheckExample {
  /** The name of the system. */
  readonly source: string
  /** Why the session would not come over. */
  readonly reason: CheckReason
  /** Names the session, and is no credential: a hash of its id, or its id if that is public. */
  readonly session: string
  /** What does not fit, for `unwritable`. */
  readonly detail: string | null
}

/** How many sessions would come over, and how many would not. Also where the check is: it can go on from here. */
export interface CheckState {
  /** The number of sessions that were read. */
  readonly read: number
  /** The number of sessions that would come over. */
  readonly alive: number
  /** How many would not come over, by reason. */
  readonly reasons: Readonly<Partial<Record<CheckReason, number>>>
  /** At most ten, of different reasons as far as possible. */
  readonly examples: readonly CheckExample[]
  /** The index of the importer that is read next. */
  readonly importer: number
  /** The position in its sessions; null: from their beginning. */
  readonly after: string | null
  /** The importers whose sessions are in cookies only: they cannot be counted. */
  readonly uncounted: readonly string[]
  /** Whether all sessions of all importers were read. */
  readonly done: boolean
}

/** The options of `checkImport`. */
export interface CheckImportOptions {
  /** The option of `createSessions`: data that this schema refuses does not come over. Default: any JSON object. */
  readonly payload?: StandardSchema<object, object>
  /** The option of `createSessions`, like `payload`. Default: any JSON object. */
  readonly info?: StandardSchema<object, object>
  /** The option of `createSessions`: the longest session data, in bytes, from 2 to 16,777,215. Default: 65,536. */
  readonly maxSessionInfoBytes?: number
  /** Where to go on: the state of an earlier check. Default: from the beginning. */
  readonly from?: CheckState
  /** Called after each part; `total` is null if it is unknown. Default: nothing. */
  readonly onProgress?: (state: CheckState, total: number | null) => unknown
  /** How many sessions to read at once: from 1 to 10,000. Default: 1,000. */
  readonly batch?: number
}

const stateRule = rule('the state of an earlier check', (value): value is CheckState => (
  typeof value === 'object' && value !== null && 'importer' in value && 'after' in value
))
const schemaRule = rule('a schema', (value): value is StandardSchema<object, object> => (
  (typeof value === 'object' || typeof value === 'function') && value !== null && '~standard' in value
))

/** The rules of the options of `checkImport`. */
export const checkImportRules: RulesFor<CheckImportOptions> = {
  maxSessionInfoBytes: policyRules.maxSessionInfoBytes,
  payload: schemaRule,
  info: schemaRule,
  from: stateRule,
  onProgress: callback<NonNullable<CheckImportOptions['onProgress']>>(),
  batch: number(null, 1, 10_000),
}

const start: CheckState = {
  read: 0, alive: 0, reasons: {}, examples: [], importer: 0, after: null, uncounted: [], done: false,
}

const MOST_EXAMPLES = 10

/**
 * Reads the sessions of the old systems and says how many would come over, how many not, and why. Writes nothing, and
 * needs no store. Sessions that are in cookies only cannot be read.
 */
export async function checkImport(setup: ImportSetup, options: CheckImportOptions = {}): Promise<CheckState> {
  checkOptions('checkImport', checkImportRules, options)
  const { from = start, batch = 1000, onProgress, payload, info, maxSessionInfoBytes } = options
  const { importers, select } = setup.plan
  const codecs = createCodecs<object, object>(
    createPolicy(maxSessionInfoBytes === undefined ? {} : { maxSessionInfoBytes }),
    { ...payload === undefined ? {} : { payload }, ...info === undefined ? {} : { info } })
  const judge = async (verdict: ForeignVerdict): Promise<Judged> => {
    if (verdict.kind === 'dead') return { reason: verdict.reason, detail: null }
    if (verdict.kind !== 'alive') return { reason: verdict.kind, detail: null }
    if (!await select(verdict)) return { reason: 'not-selected', detail: null }
    try {
      codecs.requireUserId(verdict.userId)
      requireTenantId(verdict.tenantId ?? 'public')
      await codecs.payloads.write(verdict.jwtPayload ?? {})
      await codecs.infos.write(verdict.sessionInfo ?? {})
      return null
    } catch (error) {
      if (error instanceof InvalidDataError) return { reason: 'unwritable', detail: error.message }
      throw error
    }
  }
  const totals = await Promise.all(importers.map(async each => await each.count?.() ?? null))
  const total = totals.reduce<number | null>((sum, each) => sum === null || each === null ? null : sum + each, 0)
  let state = from
  for (let importer = importers[state.importer]; importer !== undefined; importer = importers[state.importer]) {
    state = await checkPage(importer, state, batch, judge)
    await onProgress?.(state, total)
  }
  state = { ...state, done: true }
  await onProgress?.(state, total)
  return state
}

/** Why a session does not come over; null if it does. */
type Judged = { readonly reason: CheckReason; readonly detail: string | null } | null

async function checkPage(
  importer: SessionImporter,
  state: CheckState,
  batch: number,
  judge: (verdict: ForeignVerdict) => Promise<Judged>,
): Promise<CheckState> {
  if (importer.scan === undefined) {
    return { ...state, importer: state.importer + 1, after: null, uncounted: [...state.uncounted, importer.source] }
  }
  const { sessions, next } = await importer.scan(state.after, batch)
  const reasons = { ...state.reasons }
  let { alive, examples } = state
  for (const { label, verdict } of sessions) {
    const judged = await judge(verdict)
    if (judged === null) {
      alive += 1
      continue
    }
    const { reason, detail } = judged
    reasons[reason] = (reasons[reason] ?? 0) + 1
    examples = withExample(examples, { source: importer.source, reason, session: label, detail })
  }
  return {
    ...state,
    read: state.read + sessions.length,
    alive,
    reasons,
    examples,
    importer: next === null ? state.importer + 1 : state.importer,
    after: next,
  }
}

/** Adds an example to fewer than ten, or in the place of one whose reason has more than its share. Pure. */
function withExample(examples: readonly CheckExample[], added: CheckExample): readonly CheckExample[] {
  if (examples.length < MOST_EXAMPLES) return [...examples, added]
  if (examples.some(({ reason }) => reason === added.reason)) return examples
  const replaced = examples.findLastIndex(({ reason }, index) =>
    examples.findIndex(each => each.reason === reason) < index
  )
  return replaced === -1 ? examples : examples.map((each, index) => index === replaced ? added : each)
}
