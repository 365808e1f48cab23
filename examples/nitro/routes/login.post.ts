import { defineHandler } from 'nitro'
import { sessions } from '../sessions.ts'

// A real application checks a password here.
export default defineHandler(async event => {
  const { userId } = await event.req.json() as { userId: string }
  const session = await sessions.createNewSession(event, userId)
  return { userId: session.getUserId() }
})
