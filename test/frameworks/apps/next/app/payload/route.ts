import type { AppClaims } from 'keyturn/testing/contracts'
import { answerSession, route } from '../../route.ts'
import { sessions } from '../../sessions.ts'

export const POST = route(sessions.requireSession(async (request, session) => {
  await session.updateJwtPayload(await request.json() as AppClaims)
  return answerSession(session)
}))
