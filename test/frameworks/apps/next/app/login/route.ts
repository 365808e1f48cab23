import type { AppClaims } from 'keyturn/testing/contracts'
import { route } from '../../route.ts'
import { sessions } from '../../sessions.ts'

export const POST = route(sessions.handler(async (request, headers) => {
  const { userId, payload } = await request.json() as { userId: string; payload: AppClaims }
  const session = await sessions.createNewSession(request, headers, userId, payload)
  headers.set('cache-control', 'public, max-age=60')
  return Response.json({ handle: session.getHandle() }, {
    headers: [
      ['set-cookie', 'first=1; Path=/'], ['set-cookie', 'second=2; Path=/'],
      ['cache-control', 'public, max-age=60'], ['access-control-expose-headers', 'x-app'],
    ],
  })
}))
