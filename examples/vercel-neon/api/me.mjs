import { sessions } from '../lib/sessions.mjs'

export const GET = sessions.requireSession(async (request, session) => Response.json({ userId: session.getUserId() }))
