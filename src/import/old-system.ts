import { GeneralError, isSessionError } from '../base/errors.ts'
import type { Milliseconds } from '../base/time.ts'
import { within } from '../base/within.ts'
import type { Emit } from '../session/events.ts'
import type { ForeignCredential, ForeignVerdict, SessionImporter } from '../session/importer.ts'

// The calls of the old system: each has a time limit.

/** What the system says about a credential. @throws GeneralError (`STORE_UNAVAILABLE`) if it does not answer. */
export async function judgeCredential(
  importer: SessionImporter,
  credential: ForeignCredential,
  limit: Milliseconds,
): Promise<ForeignVerdict> {
  try {
    return await timed(importer.judge(credential), limit, importer.source)
  } catch (cause) {
    if (isSessionError(cause)) throw cause
    throw unavailable(importer.source, cause)
  }
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

/** Waits for the old system, up to a limit. */
function timed<T>(work: Promise<T>, limit: Milliseconds, source: string): Promise<T> {
  return within(work, {
    limit,
    late: () => unavailable(source),
    schedule(task, delay) {
      const timer = setTimeout(task, delay)
      return () => clearTimeout(timer)
    },
  })
}

function unavailable(source: string, cause?: unknown): GeneralError {
  return new GeneralError('STORE_UNAVAILABLE', `the sessions of ${source} could not be read, so none was taken over`, {
    cause,
  })
}
