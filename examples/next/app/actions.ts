'use server'

import { redirect } from 'next/navigation'
import { returnAddress } from 'keyturn'
import { sessions } from '@/sessions'

// A real application checks a password here.
export async function login(form: FormData): Promise<void> {
  await sessions.actions.createNewSession(String(form.get('userId')), { role: 'reader' })
  if (form.has('returnTo')) redirect(returnAddress(form.get('returnTo')))
}

// Without a session, both redirect to the login page.
export async function becomeEditor(): Promise<void> {
  const session = await sessions.actions.getSession()
  await session.updateJwtPayload({ role: 'editor' })
}

const end = sessions.action(session => session.revokeSession())

export async function logout(): Promise<void> {
  await end()
}
