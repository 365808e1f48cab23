import { pieces } from '../../../pieces.ts'
import { route } from '../../route.ts'
import { fixture, sessions } from '../../sessions.ts'

export const GET = route(sessions.requireSession(() => new Response(pieces(fixture.gate))))
