import { json } from '@sveltejs/kit'
import type { RequestHandler } from './$types'
import { sessions } from '../../../sessions.ts'

export const GET: RequestHandler = async event => {
  const session = await sessions.createNewSession(event, { userId: 'alice', allowCrossSitePost: true })
  return json({ handle: session.getHandle() })
}
export const POST: RequestHandler = GET
