import { NextResponse } from 'next/server'
import { fixture, sessions } from './sessions.ts'

const preflight = sessions.cors(() => NextResponse.next())
const renew = sessions.proxy(headers => NextResponse.next({ request: { headers } }))

// The routes write CORS headers themselves. If the proxy wrote them, Next would send its headers instead of theirs.
export const proxy = (request: Request) => (
  fixture.cors && request.method === 'OPTIONS' ? preflight(request) : renew(request)
)
