import type { Handle, HandleServerError } from '@sveltejs/kit/hooks'
import { sequence } from '@sveltejs/kit/hooks'
import { fixture, sessions } from './sessions.ts'

export const handle: Handle = fixture.cors ? sequence(sessions.cors(), sessions.handle()) : sessions.handle()

export const handleError: HandleServerError = ({ kind, error, event }) => {
  if (kind === 'unknown') event.setHeaders({ 'x-app-error': error instanceof Error ? error.message : '' })
}
