import type { RequestHandler } from './$types'
import { fixture, sessions } from '../../../sessions.ts'

export const POST: RequestHandler = async event => (
  new Response(await fixture.follow(sessions, [event], await event.request.json()))
)
