import { answerSession, route } from '../../route.ts'
import { sessions } from '../../sessions.ts'

const act = route(sessions.requireSession((_, session) => answerSession(session)))

export { act as DELETE, act as PATCH, act as POST, act as PUT }
