import { answerSession, route } from '../../route.ts'
import { sessions } from '../../sessions.ts'

export const GET = route(sessions.handler(async (request, headers) => (
  answerSession(await sessions.getSession(request, headers, true))
)))
