import type { RequestHandler } from './$types'
import { fixture, sessions } from '../../../sessions.ts'

export const GET: RequestHandler = sessions.requireSession(() => {
  throw fixture.failure
})
