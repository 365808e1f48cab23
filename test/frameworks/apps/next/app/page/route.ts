import { describePage } from 'keyturn/testing/contracts'
import { route } from '../../route.ts'
import { fixture, sessions } from '../../sessions.ts'

const page = route(sessions.requireSession(async (request, session) => (
  new Response(describePage(session, await request.text()))
), fixture.pages))

export { page as GET, page as POST }
