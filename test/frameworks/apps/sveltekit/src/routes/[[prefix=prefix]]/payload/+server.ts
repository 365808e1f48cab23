import { json } from '@sveltejs/kit'
import { describeSession } from 'keyturn/testing/contracts'
import type { AppClaims } from 'keyturn/testing/contracts'
import type { RequestHandler } from './$types'
import { sessions } from '../../../sessions.ts'

export const POST: RequestHandler = sessions.requireSession(async ({ request }, session) => {
  await session.updateJwtPayload(await request.json() as AppClaims)
  return json(describeSession(session))
})
