import type { RequestHandler } from './$types'
import { sessions } from '../../../sessions.ts'

export const POST: RequestHandler = sessions.requireSession(({ request }) => new Response(request.body))
