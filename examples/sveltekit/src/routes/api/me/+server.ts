import { json } from '@sveltejs/kit'
import type { RequestHandler } from './$types'
import { sessions } from '../../../lib/server/sessions.ts'

export const GET: RequestHandler = async event => {
  const session = await sessions.getSession(event)
  return json({ userId: session.getUserId(), handle: session.getHandle(), payload: session.getJwtPayload() })
}

export const POST: RequestHandler = async event => {
  const session = await sessions.createNewSession(event, 'grace', { role: 'reader' })
  return json({ handle: session.getHandle() })
}
