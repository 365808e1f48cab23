import { NextResponse } from 'next/server'
import { sessions } from './sessions'

// Refreshes the session before a page is rendered, if needed.
export const proxy = sessions.proxy(headers => NextResponse.next({ request: { headers } }))

export const config = { matcher: ['/((?!_next/static|_next/image|favicon.ico).*)'] }
