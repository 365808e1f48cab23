import { json } from '@sveltejs/kit'
import { describeSession } from 'keyturn/testing/contracts'
import type { RequestHandler } from './$types'
import { sessions } from '../../../sessions.ts'

const act: RequestHandler = sessions.requireSession((_, session) => json(describeSession(session)))

export { act as DELETE, act as PATCH, act as POST, act as PUT }
