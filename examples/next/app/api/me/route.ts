import { sessions } from '@/sessions'

// A handler that is called with the session.
export const GET = sessions.requireSession(async (_request, session) =>
  Response.json({ userId: session.getUserId(), handle: session.getHandle(), payload: session.getJwtPayload() }))

// The explicit style. `handler` adds `headers` to the response, with the tokens that the calls write.
export const POST = sessions.handler(async (request, headers) => {
  const session = await sessions.createNewSession(request, headers, 'grace', { role: 'reader' })
  return Response.json({ handle: session.getHandle() })
})
