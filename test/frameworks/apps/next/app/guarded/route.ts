import { describeSession } from 'keyturn/testing/contracts'
import { route } from '../../route.ts'
import { sessions } from '../../sessions.ts'

export const GET = route(sessions.requireSession((_, session) => (
  Response.json(describeSession(session), { headers: { 'cache-control': 'private, max-age=60' } })
)))
