import { expect, test } from 'vitest'
import { frameworkContract } from '../../src/testing/framework-contract.ts'
import type { AppVariant, Send } from '../../src/testing/framework-contract.ts'
import { APP_ORIGIN } from '../../src/testing/framework-contract/fixture.ts'
import { createWebApp } from './apps/web.ts'

type Handle = (request: Request) => Promise<Response>

/** Changes the headers of every response. */
const head = (change: (headers: Headers, request: Request, status: number) => void) => (handle: Handle): Handle => (
  async request => {
    const response = await handle(request)
    const headers = new Headers(response.headers)
    change(headers, request, response.status)
    return new Response(response.body, { status: response.status, headers })
  }
)

const status = (from: number, to: number) => (handle: Handle): Handle => async request => {
  const response = await handle(request)
  return response.status === from ? new Response(response.body, { status: to, headers: response.headers }) : response
}

const requests = (change: (headers: Headers, request: Request) => void) => (handle: Handle): Handle => request => {
  const headers = new Headers(request.headers)
  change(headers, request)
  return handle(new Request(request, { headers }))
}

function keepCookies(headers: Headers, keep: (line: string) => boolean): void {
  const lines = headers.getSetCookie().filter(keep)
  headers.delete('set-cookie')
  for (const line of lines) headers.append('set-cookie', line)
}

const ourHeaders = 'front-token, session-ended, st-access-token, st-refresh-token, anti-csrf'

const clearing = '__Host-sAccessToken=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; Secure; SameSite=Lax'

/** The same request with the session of a user who has logged in, so that a guard lets it pass. */
async function withSession(request: Request, handle: Handle): Promise<Request> {
  const login = await handle(new Request('http://127.0.0.1/login', {
    method: 'POST',
    headers: { 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' },
    body: JSON.stringify({ userId: 'nobody', payload: {} }),
  }))
  const headers = new Headers(request.headers)
  headers.set('cookie', login.headers.getSetCookie().map(line => line.split(';')[0]).join('; '))
  headers.set('sec-fetch-site', 'same-origin')
  return new Request(request, { headers })
}

/** Faults that an adapter can have. */
const mutants: Readonly<Record<string, (handle: Handle) => Handle>> = {
  'lets tokens be cached': head(headers => {
    if (headers.has('front-token')) headers.set('cache-control', 'private')
  }),
  'forbids all caching': head(headers => headers.set('cache-control', 'private, no-store')),
  'omits Cache-Control from a response to a session': head(headers => {
    if (headers.get('cache-control') === 'private') headers.delete('cache-control')
  }),
  'lets OPTIONS pass a guard': handle => async request => {
    const isPassed = request.method === 'OPTIONS' && request.url.endsWith('/any')
    return handle(isPassed ? await withSession(request, handle) : request)
  },
  'lets an unknown method pass a guard': handle => async request => (
    handle(request.method === 'PRETEND' ? await withSession(request, handle) : request)
  ),
  'answers every OPTIONS as a preflight': handle => async request => (
    request.method === 'OPTIONS' ? new Response(null, { status: 204 }) : handle(request)
  ),
  'treats an upgrade as an ordinary request': requests(headers => headers.delete('upgrade')),
  'keeps one Set-Cookie line': head(headers => {
    const [first] = headers.getSetCookie()
    if (first !== undefined) headers.set('set-cookie', first)
  }),
  'joins Set-Cookie lines': head(headers => {
    const lines = headers.getSetCookie()
    if (lines.length > 1) headers.set('set-cookie', lines.join(', '))
  }),
  'loses the application\'s cookies': head(headers => keepCookies(headers, line => line.startsWith('__'))),
  'loses the header that the application exposes': head(headers => {
    if (headers.has('front-token')) headers.set('access-control-expose-headers', ourHeaders)
  }),
  'loses Vary': head(headers => headers.delete('vary')),
  'loses the front token': head(headers => headers.delete('front-token')),
  'clears cookies on every 401': head((headers, _, code) => {
    if (code === 401) headers.append('set-cookie', clearing)
  }),
  'never clears cookies': head((headers, _, code) => {
    if (code === 401) keepCookies(headers, () => false)
  }),
  'answers 401 without WWW-Authenticate': head(headers => headers.delete('www-authenticate')),
  'sends WWW-Authenticate to browsers': head((headers, _, code) => {
    if (code === 401) headers.set('www-authenticate', 'Bearer')
  }),
  'reflects any origin': head((headers, request) => {
    headers.set('access-control-allow-origin', request.headers.get('origin') ?? '*')
  }),
  'answers an outage with 401': status(503, 401),
  'answers a cross-site request with 401': status(403, 401),
  'answers an unknown path with 200': status(404, 200),
  'serves GET on routes that change something': status(405, 200),
  'answers preflights with 200': status(204, 200),
  'loses the reason of an error': head(headers => headers.delete('x-app-error')),
  'hides the method from the CSRF check': handle => request => (
    handle(request.method === 'DELETE' ? new Request(request.url, { headers: request.headers }) : request)
  ),
  'loses the origin': requests(headers => headers.delete('origin')),
  'loses the bearer token': requests(headers => headers.delete('authorization')),
  'reads only the first cookie': requests(headers => {
    const cookie = headers.get('cookie')
    if (cookie !== null) headers.set('cookie', cookie.split('; ')[0] ?? '')
  }),
  'trusts x-forwarded-host': requests(headers => {
    const host = headers.get('x-forwarded-host')
    if (headers.get('origin') === `https://${host}`) headers.set('origin', APP_ORIGIN)
  }),
  'ends a stream early': handle => async request => {
    const response = await handle(request)
    return request.url.includes('/stream') ? new Response('one\n', { headers: response.headers }) : response
  },
  'reads the body of a request': handle => async request => {
    if (!request.url.includes('/echo')) return handle(request)
    return handle(new Request(request, { body: (await request.text()).slice(0, 100) }))
  },
  'hides the refresh token from pages': requests((headers, { url }) => {
    const cookies = headers.get('cookie')?.split('; ') ?? []
    if (url.includes('/page')) {
      headers.set('cookie', cookies.filter(cookie => !cookie.includes('RefreshToken')).join('; '))
    }
  }),
  'loses the body of a form that was refreshed': handle => async request => {
    const response = await handle(request)
    const isRefreshed = request.method === 'POST' && request.url.includes('/page')
      && response.headers.has('front-token')
    return isRefreshed ? new Response('alice: ', response) : response
  },
  'answers a page without a session with JSON': status(303, 401),
  'redirects scripts to the login page': status(401, 303),
  'loses the address to return to': head(headers => {
    if (headers.has('location')) headers.set('location', '/gateway/login')
  }),
  'ignores the prefix': handle => request => handle(new Request(request.url.replace('/api/', '/'), request)),
  'obeys a method override': handle => request => {
    const { headers } = request
    return handle(headers.has('x-http-method-override') ? new Request(request.url, { headers }) : request)
  },
}

/** Sends requests to a handler in this process. */
function directly(handle: Handle): Send {
  return async ({ method, path, headers, body }) => {
    const lines = headers.map(([name, value]): [string, string] => [name, value])
    const request = new Request(new URL(path, 'http://127.0.0.1'), { method, headers: lines, body })
    const response = await handle(request)
    const cookies = response.headers.getSetCookie().map(line => ['set-cookie', line] as const)
    const text = method === 'HEAD' ? '' : null
    return {
      status: response.status,
      headers: [...[...response.headers].filter(([name]) => name !== 'set-cookie'), ...cookies],
      body: pieces(text === null ? response.body : null),
    }
  }
}

async function* pieces(body: ReadableStream<Uint8Array> | null): AsyncIterable<string> {
  const utf8 = new TextDecoder()
  for await (const bytes of body ?? []) yield utf8.decode(bytes, { stream: true })
}

/** The names of the contract's tests that an application fails. */
async function failuresOf(mutate: (handle: Handle) => Handle): Promise<string[]> {
  const apps = new Map<AppVariant, Send>()
  const open = async (variant: AppVariant): Promise<Send> => {
    const send = apps.get(variant) ?? directly(mutate(createWebApp(variant)))
    apps.set(variant, send)
    return send
  }
  const failures: string[] = []
  for (const { name, run } of frameworkContract) {
    try {
      await run({ open })
    } catch {
      failures.push(name)
    }
  }
  return failures
}

test('the unchanged application passes the contract without a socket', async () => {
  expect(await failuresOf(handle => handle)).toEqual([])
})

test.each(Object.entries(mutants))('the contract catches an adapter that %s', async (_, mutate) => {
  expect(await failuresOf(mutate)).not.toEqual([])
})
