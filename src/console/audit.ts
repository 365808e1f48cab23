import { encodeBase64url } from '../base/base64url.ts'
import { cutText } from '../base/cut-text.ts'
import { parseHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { Engine } from '../session/engine.ts'
import { appendEvent } from '../session/event-log.ts'
import type { ConsoleOperator } from '../transport/console-port.ts'
import type { AuditAction, AuditEvent } from './api-types.ts'

/** What an operator does. */
export interface OperatorAction {
  readonly action: AuditAction
  readonly operator: ConsoleOperator
  readonly userId: string | null
  readonly handle: string | null
  /** What it is, without the data itself: "Revoke the session ...". */
  readonly sentence: string
}

/** The longest sentence of an event, in characters. */
const LONGEST = 2000

/**
 * Makes a change that is in the audit log before it begins: if that cannot be written, there is no change. The result
 * is in the log as well; if that cannot be written, the change has been made all the same, and the error is reported.
 * `result` words the result.
 */
export async function audited<Result>(
  engine: Engine,
  action: OperatorAction,
  change: () => Promise<Result>,
  result: (result: Result) => string,
): Promise<Result> {
  const changeId = encodeBase64url(engine.entropy(12))
  const began = await engine.now()
  await record(engine, action, changeId, 'intended', action.sentence, began)
  const note = async (stage: AuditEvent['stage'], sentence: string): Promise<void> => {
    try {
      // Events are ordered by their time, so the result must be later.
      await record(engine, action, changeId, stage, sentence, Math.max(await engine.now(), began + 1))
    } catch (error) {
      engine.emit('onBackgroundError', { during: 'console audit', error })
    }
  }
  let made: Result
  try {
    made = await change()
  } catch (error) {
    await note('failed', `Failed: ${action.sentence}`)
    throw error
  }
  await note('done', result(made))
  return made
}

/** Notes what changes nothing, or what is done already: a login, a logout, an export. @throws if the store fails. */
export async function recordAction(engine: Engine, action: OperatorAction): Promise<void> {
  await record(engine, action, encodeBase64url(engine.entropy(12)), 'done', action.sentence, await engine.now())
}

async function record(
  engine: Engine,
  { action, operator: { name, role }, userId, handle }: OperatorAction,
  changeId: string,
  stage: AuditEvent['stage'],
  sentence: string,
  at: EpochMilliseconds,
): Promise<void> {
  await appendEvent(engine, {
    kind: 'audit', at, userId, handle: handle === null ? null : parseHandle(handle),
    detail: { action, operator: name, role, stage, changeId, sentence: cutText(sentence, LONGEST) },
  })
}
