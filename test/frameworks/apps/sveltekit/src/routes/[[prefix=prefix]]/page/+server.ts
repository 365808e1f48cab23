import { describePage } from 'keyturn/testing/contracts'
import type { RequestHandler } from './$types'
import { fixture, sessions } from '../../../sessions.ts'

const page: RequestHandler = sessions.requireSession(async ({ request }, session) => (
  new Response(describePage(session, await request.text()))
), fixture.pages)

export { page as GET, page as POST }
