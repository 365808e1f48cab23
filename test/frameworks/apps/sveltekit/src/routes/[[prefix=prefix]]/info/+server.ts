import { json } from '@sveltejs/kit'
import type { AppInfo } from 'keyturn/testing/contracts'
import type { RequestHandler } from './$types'
import { sessions } from '../../../sessions.ts'

export const GET: RequestHandler = sessions.requireSession(async (_, session) => json(await session.getSessionInfo()))

export const PUT: RequestHandler = sessions.requireSession(async ({ request }, session) => {
  await session.updateSessionInfo(await request.json() as AppInfo)
  return json({})
})
