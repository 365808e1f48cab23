import { isSessionError } from '../base/errors.ts'
import { isJsonObject } from '../base/json.ts'
import type { StreamedResponse } from '../transport/exchange.ts'
import type { Versioned } from './api-types.ts'
import { audited } from './audit.ts'
import { infoOf, payloadOf } from './describe-session.ts'
import type { ConsoleRequest } from './request.ts'
import { noContent, answerProblem, sentenceOf } from './responses.ts'

/** Replaces the JWT payload or the session data, if it still has the version that the operator saw. */
export async function replaceData(
  { subject: { engine, core }, operator, parameters, body }: ConsoleRequest,
  what: 'payload' | 'info',
): Promise<StreamedResponse> {
  const { record: { handle, userId } } = await core.getStoredSession(parameters['handle'] ?? '')
  const version = Number(body['version'])
  const value = isJsonObject(body['value']) ? body['value'] : {}
  const current = async (): Promise<Versioned> => (
    (what === 'payload' ? payloadOf : infoOf)((await core.getStoredSession(handle)).record)
  )
  const seen = await current()
  if (seen.version !== version) return conflict(seen)
  const words = what === 'payload' ? 'JWT payload' : 'session data'
  try {
    const isReplaced = await audited(
      engine,
      {
        action: what === 'payload' ? 'update-payload' : 'update-info', operator, userId, handle,
        sentence: `Replace version ${version} of the ${words} of the session ${handle}.`,
      },
      () => what === 'payload'
        ? core.updateJwtPayloadIf(version, handle, value) : core.updateSessionInfoIf(version, handle, value),
      isDone => isDone ? `The ${words} was replaced.` : `The ${words} was not replaced: it was changed meanwhile.`)
    return isReplaced ? noContent : conflict(await current())
  } catch (error) {
    if (!isSessionError(error) || error.code !== 'INVALID_DATA') throw error
    return answerProblem(400, 'invalid_request', sentenceOf(error.message), { field: 'value' })
  }
}

function conflict(current: Versioned): StreamedResponse {
  return answerProblem(
    409,
    'conflict',
    'The data was changed since you loaded it: nothing was changed now. Compare both versions.',
    {
      more: { current },
  })
}
