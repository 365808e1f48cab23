import { json } from '@sveltejs/kit'
import type { RequestHandler } from './$types'
import { fixture, sessions } from '../../../sessions.ts'

export const fallback: RequestHandler = sessions.requireSession(() => {
  fixture.visit()
  return json({})
})
