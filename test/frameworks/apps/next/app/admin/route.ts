import { answerSession, route } from '../../route.ts'
import { fixture, sessions } from '../../sessions.ts'

export const GET = route(sessions.requireSession((_, session) => answerSession(session), fixture.adminOnly))
