import { json } from '@sveltejs/kit'
import { describeSession } from 'keyturn/testing/contracts'
import type { RequestHandler } from './$types'
import { sessions } from '../../../sessions.ts'

export const GET: RequestHandler = sessions.requireSession((event, session) => {
  event.setHeaders({ 'cache-control': 'private, max-age=60' })
  return json(describeSession(session))
})
