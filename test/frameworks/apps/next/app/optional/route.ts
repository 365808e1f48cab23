import { route } from '../../route.ts'
import { sessions } from '../../sessions.ts'

export const GET = route(sessions.handler(async (request, headers) => {
  const session = await sessions.getSession(request, headers, { required: false })
  return Response.json({ userId: session?.getUserId() ?? null })
}))
