import { route } from '../../route.ts'
import { fixture, sessions } from '../../sessions.ts'

export const GET = route(sessions.handler(async (request, headers) => {
  fixture.keep(await sessions.getSession(request, headers))
  return Response.json({})
}))
