import { route } from '../../route.ts'
import { sessions } from '../../sessions.ts'

export const GET = route(sessions.handler(async (request, headers) => {
  const session = await sessions.createNewSession(request, headers, { userId: 'alice', allowCrossSitePost: true })
  return Response.json({ handle: session.getHandle() })
}))
export const POST = GET
