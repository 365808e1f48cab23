import { json } from '@sveltejs/kit'
import { describeSession } from 'keyturn/testing/contracts'
import type { RequestHandler } from './$types'
import { sessions } from '../../../sessions.ts'

const guarded: RequestHandler = sessions.requireSession((_, session) => json(describeSession(session)))

export const POST: RequestHandler = async event => {
  const { userId } = await event.request.json() as { userId: string }
  await sessions.createNewSession(event, userId)
  return guarded(event)
}
