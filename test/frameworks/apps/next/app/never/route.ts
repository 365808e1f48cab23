import { answerSession, route } from '../../route.ts'
import { sessions } from '../../sessions.ts'

export const POST = route(sessions.handler(async (request, headers) => (
  answerSession(await sessions.getSession(request, headers, false))
)))
