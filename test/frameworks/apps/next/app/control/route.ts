import { route } from '../../route.ts'
import { fixture, sessions } from '../../sessions.ts'

export const POST = route(async request => new Response(await fixture.control(sessions, await request.json())))
