import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { fromNodeHeaders } from 'better-auth/node'
import { userId } from '../contender.ts'
import type { SetUp } from '../contender.ts'

/** better-auth with a user who has signed in, and the cookies that the browser sends. */
export async function startBetterAuth(cookieCache: boolean): Promise<{
  readonly cookie: string
  find(headers: IncomingHttpHeaders): Promise<string | undefined>
}> {
  const auth = betterAuth({
    baseURL: 'https://app.example.com',
    secret: randomBytes(32).toString('base64'),
    database: new DatabaseSync(':memory:'),
    emailAndPassword: { enabled: true },
    session: { cookieCache: { enabled: cookieCache, maxAge: 3600 } },
    telemetry: { enabled: false },
  })
  await (await getMigrations(auth.options)).runMigrations()
  const { headers } = await auth.api.signUpEmail({
    body: { email: 'user@example.com', password: 'correct horse battery', name: 'User' }, returnHeaders: true,
  })
  const cookie = headers.getSetCookie().map(line => line.slice(0, line.indexOf(';'))).join('; ')
  return {
    cookie,
    find: async nodeHeaders => (await auth.api.getSession({ headers: fromNodeHeaders(nodeHeaders) }))?.user.email,
  }
}

function betterAuthSession(cookieCache: boolean): SetUp {
  return async () => {
    const { cookie, find } = await startBetterAuth(cookieCache)
    return {
      headers: () => ({ cookie: `theme=dark; ${cookie}` }),
      find: request => find(request.headers),
      userOf: (email: string | undefined) => email === 'user@example.com' ? userId : undefined,
    }
  }
}

export const setUps: Readonly<Record<string, SetUp>> = {
  'better-auth, cookie cache': betterAuthSession(true),
  'better-auth, SQLite': betterAuthSession(false),
}
