import { json } from '@sveltejs/kit'
import { describeSession } from 'keyturn/testing/contracts'
import type { RequestHandler } from './$types'
import { sessions } from '../../../sessions.ts'

export const GET: RequestHandler = async event => json(describeSession(await sessions.getSession(event, true)))
