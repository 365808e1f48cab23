import type { RequestHandler } from './$types'
import { pieces } from '../../../../../pieces.ts'
import { fixture, sessions } from '../../../sessions.ts'

export const GET: RequestHandler = sessions.requireSession(() => new Response(pieces(fixture.gate)))
