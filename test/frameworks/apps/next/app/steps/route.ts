import { route } from '../../route.ts'
import { fixture, sessions } from '../../sessions.ts'

export const POST = route(sessions.handler(async (request, headers) => (
  new Response(await fixture.follow(sessions, [request, headers], await request.json()))
)))
