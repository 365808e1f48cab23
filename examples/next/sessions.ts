import { io } from 'next/cache'
import { cookies, headers } from 'next/headers'
import { redirect } from 'next/navigation'
import { createSessions } from 'keyturn'
import { nextSessions } from 'keyturn/frameworks/next'
import { openSqliteStore } from 'keyturn/stores/sqlite'

type Claims = { role?: string }

export const sessions = nextSessions(createSessions<Claims, { note?: string }>({
  origin: process.env.ORIGIN ?? 'http://localhost:3000',
  store: openSqliteStore(process.env.DATABASE ?? 'example.db'),
  accessTokenLifetime: Number(process.env.ACCESS_TOKEN_LIFETIME ?? 3600),
  cookie: { refreshTokenPath: '/' }, // so that proxy.ts gets the refresh token, to refresh before a page is rendered
}), { cookies, headers, io, redirect, loginPath: '/login' })
