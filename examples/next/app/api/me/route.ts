import { sessions } from '../../../sessions.ts'

// A handler with its session.
export const GET = sessions.requireSession(async (_request, session) =>
  Response.json({ userId: session.getUserId(), handle: session.getHandle(), payload: session.getJwtPayload() }))

// The explicit style: what the calls put into `headers` is added to the response.
export const POST = sessions.handler(async (request, headers) => {
  const session = await sessions.createNewSession(request, headers, 'grace', { role: 'reader' })
  return Response.json({ handle: session.getHandle() })
})
