import { ensureEqual } from '../assert.ts'
import { responseWasSent } from '../../transport/delivery.ts'
import {
  appCase, AT, ensureUntouched, HEADER_MODE, HOUR, login, refusal, REFRESH, RT, SAME_ORIGIN,
} from './framework-case.ts'
import type { FrameworkCase } from './framework-case.ts'

const words = responseWasSent().message

/** A call that would write to a response that was already sent. */
export const lateCases: readonly FrameworkCase[] = [
  appCase('L-03: after the response was sent, a call that writes to it always rejects, and stores nothing', 'plain', async app => {
    for (const headers of [SAME_ORIGIN, HEADER_MODE]) {
      const client = app.client()
      const { handle, header } = await login(client, 'grace', headers)
      const own = headers === SAME_ORIGIN ? headers : { ...headers,
        authorization: `Bearer ${header('st-access-token')}` }
      const reply = await client.send('POST', '/steps', { headers: own, body: { steps: ['get'] } })
      ensureEqual([reply.status, reply.member('outcomes')], [200, ['grace, reader']], 'sent')
      ensureUntouched(reply, 'sent')
      await app.control({})
      for (const afterwards of ['create heidi', 'update late', 'refresh', 'create heidi', 'update late', 'refresh']) {
        ensureEqual((await app.control({ afterwards })).outcome, words, afterwards)
      }
      ensureEqual((await app.control({ sessionsOf: 'heidi' })).outcome, '0', 'no session is left')
      ensureEqual((await app.control({ afterwards: 'get' })).outcome, 'grace, reader', 'a session can still be read')
      const next = await client.send('GET', '/me', { headers: own })
      ensureEqual([next.member('handle'), next.member('payload')], [handle, { role: 'reader' }], 'nothing has changed')
      ensureEqual((await app.control({ afterwards: 'revoke' })).outcome, words, 'revokeSession rejects')
      ensureEqual(refusal(await client.send('GET', '/me', { headers: own })), [401, 'unauthorised'], 'and has revoked')
      ensureEqual((await app.control({ sessionsOf: 'grace' })).outcome, '0', 'the session')
    }
  }),

  appCase('L-03: a login that is not awaited rejects each time, and leaves no session', 'plain', async app => {
    const client = app.client()
    await login(client)
    for (const time of ['the first time', 'later']) {
      const reply = await client.send('POST', '/steps', {
        headers: SAME_ORIGIN, body: { steps: [], unawaited: ['create ivan'] },
      })
      ensureEqual(reply.status, 200, `${time}, the handler answers`)
      ensureUntouched(reply, time)
      ensureEqual((await app.control({ settle: true })).outcome, words, `${time}, the login rejects`)
      ensureEqual((await app.control({ sessionsOf: 'ivan' })).outcome, '0', `${time}, no session is left`)
      ensureEqual((await client.send('GET', '/me')).member('userId'), 'alice', `${time}, the earlier session stays`)
    }
  }),

  // In header mode, because SvelteKit refreshes a session in cookies before any handler runs.
  appCase('L-03: a refresh that is not awaited rejects, and the client repeats it', 'plain', async app => {
    const client = app.client()
    const { header } = await login(client, 'alice', HEADER_MODE)
    await app.advance(HOUR)
    const headers = { authorization: `Bearer ${header('st-refresh-token')}` }
    const reply = await client.send('POST', '/steps', { headers, body: { steps: [], unawaited: ['refresh'] } })
    ensureUntouched(reply, 'not awaited')
    ensureEqual((await app.control({ settle: true })).outcome, words, 'it rejects')
    const again = await client.send('POST', REFRESH, { headers })
    ensureEqual(again.status, 200, 'repeated')
    const authorization = `Bearer ${again.header('st-access-token')}`
    const next = await client.send('GET', '/me', { headers: { authorization } })
    ensureEqual(next.member('userId'), 'alice', 'the client goes on')
  }),

  appCase('L-03: a revocation that is not awaited rejects, and has revoked', 'plain', async app => {
    const client = app.client()
    await login(client, 'judy')
    const reply = await client.send('POST', '/steps', {
      headers: SAME_ORIGIN, body: { steps: ['get'], unawaited: ['revoke'] },
    })
    ensureUntouched(reply, 'not awaited')
    ensureEqual((await app.control({ settle: true })).outcome, words, 'it rejects')
    ensureEqual((await app.control({ sessionsOf: 'judy' })).outcome, '0', 'revoked')
    ensureEqual([client.cookie(AT), client.cookie(RT)].includes(undefined), false, 'the client still has its cookies')
    ensureEqual(refusal(await client.send('GET', '/me')), [401, 'unauthorised'], 'which no longer work')
  }),
]
