import { json } from '@sveltejs/kit'
import { describeSession } from 'keyturn/testing/contracts'
import type { RequestHandler } from './$types'
import { fixture, sessions } from '../../../sessions.ts'

export const GET: RequestHandler = sessions.requireSession(
  (_, session) => json(describeSession(session)), fixture.adminOnly,
)
