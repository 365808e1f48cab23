import { json } from '@sveltejs/kit'
import type { RequestHandler } from './$types'
import { sessions } from '../../../sessions.ts'

export const POST: RequestHandler = sessions.requireSession(async (_, session) => {
  await session.revokeSession()
  return json({})
})
