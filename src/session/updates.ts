import { GeneralError, isSessionError, SessionNotFoundError } from '../base/errors.ts'
import type { Subject, TokenClaims, TokenStyle } from '../tokens/token-format.ts'
import { hasJson } from './application-data.ts'
import type { Codecs } from './application-data.ts'
import type { ComputeOf, InputOf, Update } from './data-types.ts'
import type { CoreParts, Engine } from './engine.ts'
import { MAX_USER_ID_LENGTH } from './identifiers.ts'
import { getActive, handleOf, listInPages } from './manage.ts'
import type { ListedUser } from './manage.ts'
import { changeStart } from './policy.ts'
import type { SessionRecord } from './record.ts'
import { REMOVAL_LIMIT } from './store.ts'

/** How often an update is attempted while others change the same data. */
const ATTEMPTS = 50

/** Repeats an update by a function until no other update interferes: `attempt` returns null if one did. */
async function untilWritten<Result>(name: string, attempt: () => Promise<Result | null>): Promise<Result> {
  for (let attempts = 0; attempts < ATTEMPTS; attempts++) {
    const result = await attempt()
    if (result !== null) return result
  }
  throw new GeneralError('STORE_UNAVAILABLE', `other updates changed the ${name} ${ATTEMPTS} times first`)
}

/** Whether a change is a function: data never is one, because a function is not JSON. */
function isCompute<Data>(change: unknown): change is ComputeOf<Data> {
  return typeof change === 'function'
}

/**
 * Replaces the session data. A function computes it from the current data, and no other update is lost. With
 * `expected`, replaces it only if it still has that version. Returns whether it had.
 */
export async function updateInfo<Info extends object>(
  engine: Engine & Pick<Codecs<object, Info>, 'infos'>,
  text: string,
  change: Update<Info>,
  expected: number | null = null,
): Promise<boolean> {
  const { store, infos, now } = engine
  if (!isCompute<Info>(change) && expected === null) {
    const sessionInfo = await infos.write(change)
    const update = { handle: handleOf(text), sessionInfo, expectedVersion: null, now: await now() }
    if (!await store.updateInfo(update)) throw new SessionNotFoundError()
    return true
  }
  return untilWritten('session info', async () => {
    const { handle, sessionInfo: current, infoVersion: expectedVersion } = await getActive(engine, text)
    if (expected !== null && expected !== expectedVersion) return false
    const next = isCompute<Info>(change) ? await change(infos.read(current)) : change
    if (hasJson(next, current)) return true
    const update = { handle, sessionInfo: await infos.write(next), expectedVersion, now: await now() }
    return await store.updateInfo(update) ? true : null
  })
}

/** The subject with the longest JSON: each control character takes six characters. */
const longestSubject: Subject = { userId: '\u0001'.repeat(MAX_USER_ID_LENGTH), tenantId: 'x'.repeat(64) }

/** A JWT payload in the store. */
export interface StoredPayload {
  readonly json: string
  readonly version: number
  /** Whether the update wrote it: a function may return the current payload. */
  readonly changed: boolean
}

/**
 * Replaces the JWT payload and appends a change for all processes. A function computes it from the current one, and no
 * other update is lost. A payload with which an access token could become too long is rejected (S-12); without a
 * function, the session is read for that only if the payload is long.
 * @throws SessionNotFoundError if the session does not exist, has expired or was revoked.
 */
export async function updatePayload<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  parts: CoreParts<Payload, Info, Style, Claims>,
  text: string,
  change: Update<Payload>,
  subject: Subject | null,
): Promise<StoredPayload> {
  const { format, payloads } = parts
  if (isCompute<Payload>(change)) return computePayload(parts, text, change)
  const json = await payloads.write(change)
  if (format.findLengthProblem(longestSubject, json, null) !== null) {
    const refusal = format.findLengthProblem(subject ?? await getActive(parts, text), json, null)
    if (refusal !== null) throw refusal
  }
  const stored = await writePayload(parts, text, json, null)
  if (stored === null) throw new SessionNotFoundError()
  return stored
}

async function computePayload<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  parts: CoreParts<Payload, Info, Style, Claims>,
  text: string,
  compute: ComputeOf<Payload>,
): Promise<StoredPayload> {
  return untilWritten('JWT payload', async () => {
    const record = await getActive(parts, text)
    return replacePayload(parts, record, await compute(parts.payloads.read(record.jwtPayload)))
  })
}

/**
 * Replaces the JWT payload if it still has this version. Returns whether it had.
 * @throws SessionNotFoundError, InvalidDataError as {@link updatePayload}
 */
export async function updatePayloadIf<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  parts: CoreParts<Payload, Info, Style, Claims>,
  version: number,
  text: string,
  payload: InputOf<Payload>,
): Promise<boolean> {
  const record = await getActive(parts, text)
  return record.payloadVersion === version && await replacePayload(parts, record, payload) !== null
}

/** Replaces the payload of a record that was read; null if another update has changed it since, or it has ended. */
async function replacePayload<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  parts: CoreParts<Payload, Info, Style, Claims>,
  record: SessionRecord,
  next: InputOf<Payload>,
): Promise<StoredPayload | null> {
  const { format, payloads } = parts
  const { handle, jwtPayload: current, payloadVersion: version } = record
  if (hasJson(next, current)) return { json: current, version, changed: false }
  const json = await payloads.write(next)
  const refusal = format.findLengthProblem(record, json, null)
  if (refusal !== null) throw refusal
  return writePayload(parts, handle, json, version)
}

/** Writes a payload, of any version or of the expected one. Returns null if the store wrote nothing. */
async function writePayload(
  { store, feed, now: readTime }: Engine,
  text: string,
  json: string,
  expectedVersion: number | null,
): Promise<StoredPayload | null> {
  const handle = handleOf(text)
  const now = await readTime()
  const updated = await store.updatePayload({ handle, jwtPayload: json, expectedVersion, now, from: changeStart(now) })
  if (updated === null) return null
  feed.applyLocally({ kind: 'payload', handle, ...updated })
  return { json, version: updated.version, changed: true }
}

/**
 * Computes the payload of each of a user's active sessions, a page of {@link REMOVAL_LIMIT} at a time. Skips sessions
 * that end meanwhile. Returns the handles of those whose payload changed.
 * @throws the first error of a session, when all sessions of its page are done.
 */
export async function updatePayloadsOfUser<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  parts: CoreParts<Payload, Info, Style, Claims>,
  user: ListedUser,
  compute: ComputeOf<Payload>,
): Promise<readonly string[]> {
  const changed: string[] = []
  for await (const sessions of listInPages(parts, user, REMOVAL_LIMIT)) {
    const results = await Promise.allSettled(sessions.map(({ handle }) => updatePayload(parts, handle, compute, null)))
    for (const [index, result] of results.entries()) {
      const handle = sessions[index]?.handle
      if (result.status === 'fulfilled') {
        if (result.value.changed && handle !== undefined) changed.push(handle)
      } else if (!isGone(result.reason)) throw result.reason
    }
  }
  return changed
}

function isGone(error: unknown): boolean {
  return isSessionError(error) && error.code === 'SESSION_NOT_FOUND'
}
