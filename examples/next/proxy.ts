import { NextResponse } from 'next/server'
import { sessions } from './sessions.ts'

// Refreshes before a page is rendered, if it must.
export const proxy = sessions.proxy(headers => NextResponse.next({ request: { headers } }))

export const config = { matcher: ['/((?!_next/static|_next/image|favicon.ico).*)'] }
