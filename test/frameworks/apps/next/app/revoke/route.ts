import { route } from '../../route.ts'
import { sessions } from '../../sessions.ts'

export const POST = route(sessions.requireSession(async (_, session) => {
  await session.revokeSession()
  return Response.json({})
}))
