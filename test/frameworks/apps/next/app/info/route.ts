import type { AppInfo } from 'keyturn/testing/contracts'
import { route } from '../../route.ts'
import { sessions } from '../../sessions.ts'

export const GET = route(sessions.requireSession(async (_, session) => Response.json(await session.getSessionInfo())))

export const PUT = route(sessions.requireSession(async (request, session) => {
  await session.updateSessionInfo(await request.json() as AppInfo)
  return Response.json({})
}))
