import { createClient } from 'keyturn/client'
import type { sessions } from './server/sessions.ts' // the type alone: nothing of the server reaches the browser

export const client = createClient<typeof sessions>()
