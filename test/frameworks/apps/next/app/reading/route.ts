import { describeReading } from 'keyturn/testing/contracts'
import { route } from '../../route.ts'
import { sessions } from '../../sessions.ts'

export const GET = route(async request => Response.json(describeReading(await sessions.readSession(request))))
