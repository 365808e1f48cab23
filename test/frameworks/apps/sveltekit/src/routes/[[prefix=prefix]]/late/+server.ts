import { json } from '@sveltejs/kit'
import type { RequestHandler } from './$types'
import { fixture, sessions } from '../../../sessions.ts'

export const GET: RequestHandler = async event => {
  fixture.keep(await sessions.getSession(event))
  return json({})
}
