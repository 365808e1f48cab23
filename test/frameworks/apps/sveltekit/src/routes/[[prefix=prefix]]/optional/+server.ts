import { json } from '@sveltejs/kit'
import type { RequestHandler } from './$types'
import { sessions } from '../../../sessions.ts'

export const GET: RequestHandler = async event => {
  const session = await sessions.getSession(event, { required: false })
  return json({ userId: session?.getUserId() ?? null })
}
