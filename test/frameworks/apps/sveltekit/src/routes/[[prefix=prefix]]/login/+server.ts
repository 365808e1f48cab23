import { json } from '@sveltejs/kit'
import type { AppClaims } from 'keyturn/testing/contracts'
import type { RequestHandler } from './$types'
import { sessions } from '../../../sessions.ts'

export const POST: RequestHandler = async event => {
  event.cookies.set('first', '1', { path: '/' })
  const { userId, payload } = await event.request.json() as { userId: string; payload: AppClaims }
  const session = await sessions.createNewSession(event, userId, payload)
  event.setHeaders({ 'access-control-expose-headers': 'x-app', 'cache-control': 'public, max-age=60' })
  return json({ handle: session.getHandle() }, { headers: { 'set-cookie': 'second=2; Path=/' } })
}
