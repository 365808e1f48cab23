import { sessions } from '../lib/sessions.mjs'

// A real application checks a password here.
export const POST = sessions.handler(async (request, headers) => {
  const { userId } = await request.json()
  const session = await sessions.createNewSession(request, headers, userId)
  return Response.json({ userId: session.getUserId() })
})
