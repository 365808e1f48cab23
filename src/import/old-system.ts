import { GeneralError, isSessionError } from '../base/errors.ts'
import type { Milliseconds } from '../base/time.ts'
import { startTimer } from '../base/timer.ts'
import { within } from '../base/within.ts'
import type { Emit } from '../session/events.ts'
import type { ForeignCredential, ForeignVerdict, ImportRequest, SessionImporter } from '../session/importer.ts'

// The calls of the old system: each has a time limit.

/**
 * Finds the credential of a request. Some systems need data for that, such as a key in their database.
 * @throws GeneralError (`STORE_UNAVAILABLE`) if it cannot be read in time.
 */
export async function readCredential(
  importer: SessionImporter,
  request: ImportRequest,
  limit: Milliseconds,
): Promise<ForeignCredential | null> {
  return asked(importer, limit, async () => importer.read(request))
}

/** What the system says about a credential. @throws GeneralError (`STORE_UNAVAILABLE`) if it does not answer. */
export async function judgeCredential(
  importer: SessionImporter,
  credential: ForeignCredential,
  limit: Milliseconds,
): Promise<ForeignVerdict> {
  return asked(importer, limit, async () => importer.judge(credential))
}

/** Deletes what the system keeps of the session. A failure is reported: the claim refuses the credential anyway. */
export async function retire(
  { emit }: { readonly emit: Emit },
  importer: SessionImporter,
  credential: ForeignCredential,
  limit: Milliseconds,
): Promise<void> {
  try {
    await timed(importer.retire?.(credential) ?? Promise.resolve(), limit, importer.source)
  } catch (error) {
    emit('onBackgroundError', { during: 'import', error })
  }
}

async function asked<T>({ source }: SessionImporter, limit: Milliseconds, question: () => Promise<T>): Promise<T> {
  try {
    return await timed(question(), limit, source)
  } catch (cause) {
    if (isSessionError(cause)) throw cause
    throw unavailable(source, cause)
  }
}

/** Waits for the old system, up to a limit. */
function timed<T>(work: Promise<T>, limit: Milliseconds, source: string): Promise<T> {
  return within(work, {
    limit,
    late: () => unavailable(source),
    schedule: (task, delay) => startTimer(task, delay).cancel,
  })
}

function unavailable(source: string, cause?: unknown): GeneralError {
  return new GeneralError('STORE_UNAVAILABLE', `the sessions of ${source} could not be read, so none was taken over`, {
    cause,
  })
}
