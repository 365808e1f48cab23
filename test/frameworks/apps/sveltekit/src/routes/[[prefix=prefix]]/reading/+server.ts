import { json } from '@sveltejs/kit'
import { describeReading } from 'keyturn/testing/contracts'
import type { RequestHandler } from './$types'
import { sessions } from '../../../sessions.ts'

export const GET: RequestHandler = async event => json(describeReading(await sessions.readSession(event)))
