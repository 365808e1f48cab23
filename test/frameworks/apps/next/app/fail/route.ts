import { route } from '../../route.ts'
import { fixture, sessions } from '../../sessions.ts'

export const GET = route(sessions.requireSession(() => {
  throw fixture.failure
}))
