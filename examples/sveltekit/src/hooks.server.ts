import type { Handle } from '@sveltejs/kit/hooks'
import { sessions } from './lib/server/sessions.ts'

// Serves POST /auth/session/refresh and POST /auth/signout, refreshes before a page is rendered, sets locals.session.
export const handle: Handle = sessions.handle()
