import type { ServerResponse } from 'node:http'
import { createMemoryStore, createSessions, nodeSessions } from '../../support/keyturn.ts'
import type { ReadonlySession, SignatureAlgorithm } from '../../support/keyturn.ts'
import { cookieHeader, cookiesOf, createExchange } from '../../support/request.ts'
import { claims, SESSIONS, userId } from '../contender.ts'
import type { SetUp } from '../contender.ts'

/** More tokens than the cache holds: if they are used in order, none is found there. */
const UNCACHED = 20_500

interface Variant {
  readonly algorithm: SignatureAlgorithm
  /** `cookies`: of the token and of its MAC, as browsers send them; `cookie`: that of the token only. */
  readonly via: 'cookies' | 'cookie' | 'bearer'
  readonly count: number
  readonly tokenCacheSize?: number
}

function keyturn({ algorithm, via, count, ...policy }: Variant): SetUp {
  return async () => {
    const sessions = nodeSessions(createSessions({
      origin: 'https://app.example.com', store: createMemoryStore(), algorithm, ...policy,
    }))
    const headers: Record<string, string>[] = []
    for (let index = 0; index < count; index++) {
      const { request, response } = createExchange(via === 'bearer' ? { 'st-auth-mode': 'header' } : {})
      await sessions.createNewSession(request, response, userId, claims)
      if (via === 'bearer') headers.push({ authorization: `Bearer ${String(response.getHeader('st-access-token'))}` })
      else headers.push({ cookie: cookieHeader(accessCookies(response).slice(0, via === 'cookie' ? 1 : 2).join('; ')) })
    }
    return {
      headers: index => headers[index % count] ?? {},
      find: (request, response) => sessions.getSession(request, response),
      userOf: (session: ReadonlySession<object>) => session.getUserId(),
      close: () => sessions.close(),
    }
  }
}

/** The cookies of the access token and of its MAC, if it has one. */
function accessCookies(response: ServerResponse): readonly string[] {
  return cookiesOf(response).filter(pair => pair.includes('AccessToken') && !pair.endsWith('='))
}

export const setUps: Readonly<Record<string, SetUp>> = Object.fromEntries(
  (['EdDSA', 'ES256', 'RS256', 'HS256'] as const).flatMap(algorithm => (['cookies', 'cookie', 'bearer'] as const).flatMap(via => [
    [`keyturn ${algorithm} ${via}, hit`, keyturn({ algorithm, via, count: SESSIONS })],
    [`keyturn ${algorithm} ${via}, miss`, keyturn({ algorithm, via, count: UNCACHED })],
    [`keyturn ${algorithm} ${via}, no cache`, keyturn({ algorithm, via, count: SESSIONS, tokenCacheSize: 0 })],
  ])),
)
