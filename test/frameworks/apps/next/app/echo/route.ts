import { route } from '../../route.ts'
import { sessions } from '../../sessions.ts'

export const POST = route(sessions.requireSession(request => new Response(request.body)))
