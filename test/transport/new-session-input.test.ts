import { expect, test } from 'vitest'
import { webSessions } from '../../src/frameworks/web.ts'
import { createSessions } from '../../src/index.ts'
import { inMemory } from '../../src/testing/index.ts'
import { ORIGIN } from '../support/session-server.ts'

const sessions = webSessions(createSessions<{ role?: string }, { note?: string }>({ origin: ORIGIN, ...inMemory() }))
const request = (): Request => new Request(`${ORIGIN}/login`, { method: 'POST', headers: { origin: ORIGIN } })

test('a new session takes its user, data and options in one object', async () => {
  const headers = new Headers()
  const session = await sessions.createNewSession(request(), headers, {
    userId: 'ada', jwtPayload: { role: 'admin' }, sessionInfo: { note: 'x' }, persistent: false, tenantId: 'blue',
  })
  expect([session.getUserId(), session.getTenantId()]).toEqual(['ada', 'blue'])
  expect(session.getJwtPayload()).toEqual({ role: 'admin' })
  expect(await session.getSessionInfo()).toEqual({ note: 'x' })
  expect(headers.getSetCookie().join()).not.toContain('Expires=')
})

test('the object says no more than that, and its user id is checked', async () => {
  // @ts-expect-error: there is no such option
  await expect(sessions.createNewSession(request(), new Headers(), { userId: 'ada', persistant: false }))
    .rejects.toThrow('createNewSession has no option persistant; did you mean persistent?')
  await expect(sessions.createNewSession(request(), new Headers(), { userId: 'ada', idleTimeout: 0 }))
    .rejects.toThrow('idleTimeout must be a duration from 1 second to 400 days')
  await expect(sessions.createNewSession(request(), new Headers(), { userId: '' }))
    .rejects.toMatchObject({ code: 'INVALID_DATA' })
  // @ts-expect-error: a session has a user
  await expect(sessions.createNewSession(request(), new Headers(), {})).rejects.toMatchObject({ code: 'INVALID_DATA' })
})

test('a session becomes JSON without its tokens and its data', async () => {
  const session = await sessions.createNewSession(request(), new Headers(), 'ada', { role: 'admin' }, {
    note: 'secret',
  })
  expect(JSON.parse(JSON.stringify({ session }))).toEqual({
    session: {
      userId: 'ada', handle: session.getHandle(), tenantId: 'public', jwtPayload: { role: 'admin' },
      timeCreated: session.getTimeCreated(), expiry: session.getExpiry(),
    },
  })
})
