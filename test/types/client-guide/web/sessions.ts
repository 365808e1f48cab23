// The sessions of the application for Next.js in docs/client.md.
import type { NextSessions } from 'keyturn/frameworks/next'

export declare const sessions: NextSessions<{ role?: string }, object>
