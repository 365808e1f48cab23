// Applications with Auth.js 5 and NextAuth 4 whose sessions are in the database of a real adapter.
import { importOld, requireOld } from './old-systems.ts'

/** An adapter of Auth.js, as far as tests pass it on. */
export type AuthJsAdapter = object

/** An application with Auth.js. */
export interface OldAuthJs {
  /** Logs a user in by a link in a mail. Returns the `Set-Cookie` lines. */
  logIn(email: string): Promise<readonly string[]>
  /** What the application says about a browser with these cookies: the user's address, or null. */
  emailOf(cookies: readonly string[]): Promise<string | null>
}

export const OLD_ORIGIN = 'http://localhost:3000'

/** Answers a request of a browser to the routes of Auth.js. */
type Handler = (request: Request) => Promise<Response>

/** The settings that both versions have in common: sessions in the database, and links by mail. */
function settings(adapter: AuthJsAdapter, send: (url: string) => void): object {
  return {
    adapter,
    secret: 'the secret of Auth.js, which is long',
    session: { strategy: 'database' },
    providers: [{
      id: 'email', type: 'email', name: 'Email', from: 'old@example.com', maxAge: 86_400, server: '', options: {},
      sendVerificationRequest: async ({ url }: { readonly url: string }) => send(url),
    }],
  }
}

/** An application with Auth.js 5. */
export async function openAuthJs5(adapter: AuthJsAdapter): Promise<OldAuthJs> {
  const { Auth } = await importOld<{ Auth(request: Request, options: object): Promise<Response> }>('@auth/core')
  return application(send => {
    const options = { ...settings(adapter, send), trustHost: true, basePath: '/api/auth' }
    return request => Auth(request, options)
  })
}

/** The response of Next.js' API routes, as far as NextAuth uses it. */
interface ApiResponse {
  status(code: number): ApiResponse
  setHeader(name: string, value: string | readonly string[]): ApiResponse
  getHeader(name: string): readonly string[] | undefined
  json(body: unknown): void
  send(body: unknown): void
  end(): void
}

/** An application with NextAuth 4, in an API route of Next.js. */
export async function openNextAuth4(adapter: AuthJsAdapter): Promise<OldAuthJs> {
  const { default: NextAuth } = requireOld<{
    default(request: object, response: ApiResponse, options: object): Promise<void>
  }>('next-auth/next')
  return application(send => async request => {
    const { pathname, searchParams } = new URL(request.url)
    const headers = new Headers()
    let status = 200
    let body: string | null = null
    const response: ApiResponse = {
      status(code) {
        status = code
        return response
      },
      setHeader(name, value) {
        headers.delete(name)
        for (const line of [value].flat()) headers.append(name, line)
        return response
      },
      getHeader: name => name.toLowerCase() === 'set-cookie' ? headers.getSetCookie() : undefined,
      json(value) {
        body = JSON.stringify(value)
      },
      send(value) {
        body = typeof value === 'string' ? value : JSON.stringify(value)
      },
      end: () => undefined,
    }
    await NextAuth({
      method: request.method,
      headers: Object.fromEntries(request.headers),
      cookies: cookiesIn(request.headers.get('cookie') ?? ''),
      query: { ...Object.fromEntries(searchParams), nextauth: pathname.split('/').slice(3) },
      body: request.method === 'POST' ? Object.fromEntries(new URLSearchParams(await request.text())) : {},
    }, response, settings(adapter, send))
    return new Response(body, { status, headers })
  })
}

function cookiesIn(header: string): Readonly<Record<string, string>> {
  return Object.fromEntries(header.split('; ').filter(text => text !== '').map(text => {
    const at = text.indexOf('=')
    return [text.slice(0, at), decodeURIComponent(text.slice(at + 1))]
  }))
}

function application(open: (send: (url: string) => void) => Handler): OldAuthJs {
  let link = ''
  const handler = open(url => {
    link = url
  })
  const header = (lines: readonly string[]): string => lines.map(line => line.split(';')[0]).join('; ')
  return {
    async logIn(email) {
      const csrf = await handler(new Request(`${OLD_ORIGIN}/api/auth/csrf`))
      const { csrfToken } = await csrf.json() as { csrfToken: string }
      const asked = await handler(new Request(`${OLD_ORIGIN}/api/auth/signin/email`, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded', 'cookie': header(csrf.headers.getSetCookie()),
        },
        body: new URLSearchParams({ csrfToken, email, callbackUrl: OLD_ORIGIN }),
      }))
      if (link === '') throw new Error(`no mail was sent: ${asked.status} ${asked.headers.get('location')}`)
      const entered = await handler(new Request(link))
      const cookies = entered.headers.getSetCookie().filter(line => line.includes('session-token'))
      if (cookies.length === 0) throw new Error(`nobody was logged in: ${entered.status} ${entered.headers.get('location')}`)
      return cookies
    },
    async emailOf(cookies) {
      const reply = await handler(new Request(`${OLD_ORIGIN}/api/auth/session`, { headers: { cookie: header(cookies) } }))
      const session = await reply.json() as { user?: { email?: string } } | null
      return session?.user?.email ?? null
    },
  }
}
