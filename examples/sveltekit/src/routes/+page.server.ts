import type { Actions, PageServerLoad } from './$types'
import { sessions } from '../lib/server/sessions.ts'

export const load: PageServerLoad = ({ locals }) => {
  if (locals.session.kind !== 'active') return { state: locals.session.kind }
  const { session } = locals.session
  return { state: `active ${session.getUserId()} ${session.getJwtPayload().role} ${session.getExpiry()}` }
}

export const actions: Actions = {
  // A real application checks a password here.
  login: async event => {
    const form = await event.request.formData()
    await sessions.createNewSession(event, String(form.get('userId')), { role: 'reader' })
  },
  promote: async event => {
    const session = await sessions.getSession(event)
    await session.updateJwtPayload({ role: 'editor' })
  },
  logout: async event => {
    const session = await sessions.getSession(event)
    await session.revokeSession()
  },
}
