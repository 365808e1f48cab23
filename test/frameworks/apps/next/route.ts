import { describeSession } from 'keyturn/testing/contracts'
import { sessions } from './sessions.ts'

type Handler = (request: Request) => Promise<Response>

/**
 * Adds CORS, and answers errors. If a route handler throws, Next answers with an empty 500. An application that wants
 * another response wraps its handlers.
 */
export function route(handle: Handler): Handler {
  return sessions.cors(async request => {
    try {
      return await handle(request)
    } catch (error) {
      const message = error instanceof Error ? error.message : ''
      return new Response(null, { status: 500, headers: { 'x-app-error': message } })
    }
  })
}

/** Responds with the session that a call or a guard found. */
export function answerSession(session: Parameters<typeof describeSession>[0]): Response {
  return Response.json(describeSession(session))
}
