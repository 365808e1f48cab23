import { expect, onTestFinished, test } from 'vitest'
import { importSessions } from '../../src/import/index.ts'
import { OldSystem } from '../support/old-sessions.ts'
import { SAME_ORIGIN, startSessionServer } from '../support/session-server.ts'

test.each(['keep', 'retire'] as const)(
  'IMP-01: after session.revokeSession() the old cookie logs nobody in, in mode %s', async mode => {
    const old = new OldSystem()
    const server = await startSessionServer({
      imports: importSessions({ importers: [old], until: '2026-06-30', mode }),
      routes: sessions => ({
        'POST /logout': async (request, response) => {
          await (await sessions.getSession(request, response)).revokeSession()
          response.end()
        },
      }),
    })
    onTestFinished(() => server.close())
    const client = server.client()
    // The old cookie has ended no session of Keyturn yet: the user logs in as somebody else.
    await client.send('POST', '/login', { headers: SAME_ORIGIN, body: { userId: 'bob' } })
    old.sessions.set('id-1', { userId: 'alice' })
    client.keep('old=id-1; Path=/')
    expect((await client.send('POST', '/logout', { headers: SAME_ORIGIN })).status).toBe(200)
    expect([client.jar, old.sessions.size, old.calls]).toEqual([[], 0, ['judge', 'retire']])
    old.sessions.set('id-1', { userId: 'alice' })
    const copy = server.client()
    copy.keep('old=id-1; Path=/')
    expect((await copy.send('GET', '/me')).status).toBe(401)
  })
