import type { StreamedResponse } from '../transport/exchange.ts'
import { recordAction } from './audit.ts'
import type { ConsoleRequest, OpenRequest } from './request.ts'
import { noContent, answerProblem } from './responses.ts'

const noLogin = answerProblem(404, 'not_found',
  'This console has no login of its own: the application decides who may use it.')

/** Logs in with an API key. */
export async function logIn({ subject: { engine }, access, call, body }: OpenRequest): Promise<StreamedResponse> {
  if (access.keyLogin === null) return noLogin
  const outcome = await access.keyLogin.logIn(call, String(body['apiKey']))
  const from = call.exchange.request.client.ip ?? 'an unknown address'
  const noSession = { userId: null, handle: null } as const
  switch (outcome.kind) {
    case 'in':
      await recordAction(engine, {
        ...noSession,
        action: 'login',
        operator: outcome.operator,
        sentence: `Logged in from ${from}.`,
      })
      return noContent
    case 'refused':
      if (outcome.isNoted) await recordAction(engine, {
        ...noSession, action: 'login-refused', operator: { name: 'unknown', role: 'read' },
        sentence: `A login from ${from} was refused: no such API key.`,
      })
      return answerProblem(401, 'invalid_api_key', 'This is no API key of the console.')
    case 'wait': {
      const retryAfter = Math.ceil(outcome.retryAfter / 1000)
      return answerProblem(429, 'too_many_attempts', `There were too many attempts: try again in ${retryAfter} s.`, {
        retryAfter,
      })
    }
  }
}

/** Ends the console session of the request. */
export async function logOut(
  { subject: { engine }, access, call, operator }: ConsoleRequest,
): Promise<StreamedResponse> {
  if (access.keyLogin === null) return noLogin
  await access.keyLogin.logOut(call)
  await recordAction(engine, { action: 'logout', operator, userId: null, handle: null, sentence: 'Logged out.' })
  return noContent
}
