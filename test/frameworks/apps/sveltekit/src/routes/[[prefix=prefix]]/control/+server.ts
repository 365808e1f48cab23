import type { RequestHandler } from './$types'
import { fixture, sessions } from '../../../sessions.ts'

export const POST: RequestHandler = async ({ request }) => (
  new Response(await fixture.control(sessions, await request.json()))
)
