import { isJsonObject, parseJsonObject } from '../../base/json.ts'
import { ensure, ensureEqual } from '../assert.ts'
import type { AppClient, AppReply } from './app-client.ts'
import {
  appCase, AT, frontTokenOf, HEADER_MODE, HOUR, login, nameOfCookie, RT, SAME_ORIGIN,
} from './framework-case.ts'
import type { FrameworkCase } from './framework-case.ts'

const MINUTE = 60_000

type Headers = Readonly<Record<string, string>>

/** Sends steps for one request; resolves to their outcomes and the response. */
async function follow(
  client: AppClient,
  steps: readonly string[],
  headers: Headers = SAME_ORIGIN,
  extraCookies: readonly string[] = [],
): Promise<AppReply & { readonly outcomes: readonly string[] }> {
  const reply = await client.send('POST', '/steps', { headers, body: { steps }, extraCookies })
  ensureEqual(reply.status, 200, steps.join(', '))
  const outcomes = parseJsonObject(reply.body)?.['outcomes']
  return { ...reply, outcomes: Array.isArray(outcomes) ? outcomes.map(String) : [] }
}

/** What `/me` answers to a client in cookie mode: the user and the role, or the status. */
async function whoIs(client: AppClient, headers: Headers = {}): Promise<string> {
  const reply = await client.send('GET', '/me', { headers })
  const payload = reply.member('payload')
  const role = isJsonObject(payload) ? payload['role'] : undefined
  return reply.status === 200 ? `${String(reply.member('userId'))}, ${String(role)}` : `${reply.status}`
}

/** The names of the cookies that a response sets, and of those that it clears. */
function cookieChanges({ setCookies }: AppReply): readonly [set: readonly string[], cleared: readonly string[]] {
  const own = setCookies.filter(line => [AT, RT].includes(nameOfCookie(line)))
  const isCleared = (line: string): boolean => /^[^=]*=;/.test(line)
  const names = (lines: readonly string[]): readonly string[] => lines.map(nameOfCookie).toSorted()
  return [names(own.filter(line => !isCleared(line))), names(own.filter(isCleared))]
}

/** A call that changes the session of a request counts for every later call for that request. */
export const oneRequestCases: readonly FrameworkCase[] = [
  appCase('L-02: after a login, every call returns the new session, in cookie mode', 'plain', async app => {
    for (const before of ['no session', 'a session', 'an expired session', 'a revoked session']) {
      const client = app.client()
      if (before !== 'no session') {
        const { handle } = await login(client)
        if (before === 'an expired session') await app.advance(HOUR)
        if (before === 'a revoked session') await app.control({ revoke: handle })
      }
      // Without its refresh token, with which SvelteKit would refresh an expired session.
      const old = `${AT}=${client.cookie(AT)}`
      const reply = await follow(client, ['create bob', 'get', 'read', 'update editor', 'get', 'read', 'refresh'])
      ensureEqual(reply.outcomes, [
        'bob, new', 'bob, new', 'active bob, new', 'done', 'bob, editor', 'active bob, editor', 'bob, editor',
      ], before)
      ensureEqual(cookieChanges(reply), [[AT, RT].toSorted(), []], `${before}: each cookie is set once`)
      ensureEqual(frontTokenOf(reply)['uid'], 'bob', `${before}: the front token`)
      ensureEqual(await whoIs(client), 'bob, editor', `${before}: the next request`)
      const stale = await client.send('GET', '/me', { headers: { cookie: old }, jar: false })
      ensureEqual(stale.status, 401, `${before}: the old session has ended`)
    }
  }),

  appCase('L-02: after a login, every call returns the new session, in header mode', 'plain', async app => {
    const old = (await login(app.client(), 'alice', HEADER_MODE)).header('st-access-token')
    for (const own of [{}, { authorization: `Bearer ${old}` }]) {
      const client = app.client()
      const reply = await follow(client, ['create bob', 'get', 'read', 'update editor', 'get', 'read', 'refresh'], {
        ...HEADER_MODE, ...own,
      })
      ensureEqual(reply.outcomes, [
        'bob, new', 'bob, new', 'active bob, new', 'done', 'bob, editor', 'active bob, editor', 'bob, editor',
      ], 'the new session')
      const authorization = `Bearer ${reply.header('st-access-token')}`
      ensureEqual(await whoIs(client, { authorization }), 'bob, editor', 'the next request')
      ensure((reply.header('st-refresh-token') ?? '').length > 1, 'the refresh token is not cleared')
    }
    ensureEqual(await whoIs(app.client(), { authorization: `Bearer ${old}` }), '401', 'the old session has ended')
  }),

  appCase('L-02: after a login, a guard lets the request pass with the new session', 'plain', async app => {
    const client = app.client()
    await login(client)
    for (const headers of [SAME_ORIGIN, HEADER_MODE]) {
      const reply = await client.send('POST', '/relogin', { headers, body: { userId: 'bob' } })
      ensureEqual([reply.status, reply.member('userId')], [200, 'bob'], 'the guard')
      ensureEqual(frontTokenOf(reply)['uid'], 'bob', 'the tokens of the new session')
    }
  }),

  appCase('L-02: the session of an earlier call does not touch the tokens of a login', 'plain', async app => {
    const client = app.client()
    await login(client)
    const reply = await follow(client, ['get', 'create bob', 'update-first late', 'revoke-first', 'get'])
    ensureEqual(reply.outcomes, ['alice, reader', 'bob, new', '401', 'done', 'bob, new'], 'the new session stays')
    ensureEqual(cookieChanges(reply), [[AT, RT].toSorted(), []], 'nothing is cleared')
    ensureEqual(await whoIs(client), 'bob, new', 'the next request')
  }),

  appCase('L-02: of two logins in one request, one session is left', 'plain', async app => {
    const client = app.client()
    const { outcomes } = await follow(client, ['create dave', 'create erin', 'get'])
    ensureEqual(outcomes, ['dave, new', 'erin, new', 'erin, new'], 'the second')
    ensureEqual((await app.control({ sessionsOf: 'dave' })).outcome, '0', 'the first is revoked')
    ensureEqual(await whoIs(client), 'erin, new', 'the next request')
  }),

  appCase('L-02: after revokeSession and signOut the request has no session', 'plain', async app => {
    for (const begin of ['get', 'create frank']) {
      for (const [end, done] of [['revoke', 'done'], ['sign-out', 'true']] as const) {
        const client = app.client()
        await login(client, 'frank')
        const reply = await follow(client, [begin, end, 'get', 'read', 'refresh', 'sign-out'])
        ensureEqual(reply.outcomes.slice(1), [done, '401', 'none', '401', 'false'], `${begin}, ${end}`)
        ensureEqual(cookieChanges(reply), [[], [AT, RT].toSorted()], `${begin}, ${end}: cleared`)
        ensureEqual(await whoIs(client), '401', 'the next request')
        ensureEqual((await app.control({ sessionsOf: 'frank' })).outcome, '0', `${begin}, ${end}: revoked`)
      }
    }
  }),

  appCase('L-02: after a refresh, every call returns the refreshed session, and there is one rotation', 'plain',
    async app => {
      const client = app.client()
      await login(client)
      const first = client.cookie(RT)
      await app.advance(HOUR)
      await app.control({})
      const steps = ['refresh', 'get', 'read', 'refresh', 'update editor', 'get']
      const reply = await follow(client, steps, SAME_ORIGIN, [`${RT}=${first}`])
      ensureEqual(reply.outcomes, [
        'alice, reader',
        'alice, reader',
        'active alice, reader',
        'alice, reader',
        'done',
        'alice, editor',
      ], 'the refreshed session')
      // The feed is an hour old, so that verification reads the store too.
      const writes = (await app.control({})).calls.filter(call => call !== 'find')
      ensureEqual(writes, ['rotate', 'updatePayload'], 'store calls')
      const [set, cleared] = cookieChanges(reply)
      // Next.js sends the cookies of its proxy before those of the handler. Browsers keep the last.
      ensureEqual([[...new Set(set)], cleared], [[AT, RT].toSorted(), []], 'the pair')
      ensure(client.cookie(RT) !== first, 'is new')
      ensureEqual(await whoIs(client), 'alice, editor', 'the next request')
    }),

  appCase('L-17: a re-authentication brings new tokens, and older ones end without an alarm', 'plain', async app => {
    const client = app.client()
    await login(client)
    const old = client.cookie(RT)
    await app.advance(MINUTE)
    const { now } = await app.control({})
    const steps = ['get', 'reauthenticate', 'get', 'read', 'update editor', 'get']
    const reply = await follow(client, steps)
    ensureEqual(reply.outcomes, [
      'alice, reader', 'done', 'alice, reader', 'active alice, reader', 'done', 'alice, editor',
    ], 'the session')
    const writes = (await app.control({})).calls.filter(call => call !== 'find')
    ensureEqual(writes, ['reauthenticate', 'updatePayload'], 'store calls')
    ensureEqual(cookieChanges(reply), [[AT, RT].toSorted(), []], 'the pair')
    const up = frontTokenOf(reply)['up']
    ensureEqual(isJsonObject(up) && up['auth_time'], now / 1000, 'the login is recent')
    ensureEqual(await whoIs(client), 'alice, editor', 'the next request')
    await app.advance(MINUTE)
    const headers = { ...SAME_ORIGIN, cookie: `${AT}=${client.cookie(AT)}; ${RT}=${old}` }
    const refused = await client.send('POST', '/auth/session/refresh', { headers, jar: false })
    ensureEqual(refused.status, 401, 'the older refresh token')
    ensureEqual(
      (await client.send('POST', '/auth/session/refresh', { headers: SAME_ORIGIN })).status,
      200,
      'the new one',
    )
  }),

  appCase('L-17: only the session of the request can be re-authenticated', 'plain', async app => {
    for (const [end, status] of [['create bob', '401'], ['revoke', '401']] as const) {
      const client = app.client()
      await login(client)
      const { outcomes } = await follow(client, ['get', end, 'reauthenticate-first'])
      ensureEqual(outcomes[2], status, end)
    }
  }),

  // Cases that made the store fail share the variant `plain`: there, the store may not be asked again.
  appCase('L-02: a payload that was updated elsewhere is the payload of every call', 'mounted', async app => {
    const client = app.client()
    const { handle } = await login(client)
    await app.control({ change: handle })
    const reply = await follow(client, ['get', 'get', 'read', 'update late', 'read'])
    ensureEqual(reply.outcomes, [
      'alice, editor', 'alice, editor', 'active alice, editor', 'done', 'active alice, late',
    ], 'the payload')
    const [set, cleared] = cookieChanges(reply)
    // Next.js sends the cookies of its proxy before those of the handler. Browsers keep the last.
    ensureEqual([[...new Set(set)], cleared], [[AT], []], 'a new token')
    ensureEqual(await whoIs(client), 'alice, late', 'the next request')
  }),
]
