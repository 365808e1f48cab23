import { answerSession, route } from '../../route.ts'
import { sessions } from '../../sessions.ts'

const guarded = sessions.requireSession((_, session) => answerSession(session))

export const POST = route(sessions.handler(async (request, headers) => {
  const { userId } = await request.json() as { userId: string }
  await sessions.createNewSession(request, headers, userId)
  return guarded(request)
}))
