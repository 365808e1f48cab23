import { error } from '@sveltejs/kit'
import { createSessions } from 'keyturn'
import { svelteKitSessions } from 'keyturn/frameworks/sveltekit'
import { openSqliteStore } from 'keyturn/stores/sqlite'

export type Claims = { role?: string }

export const sessions = svelteKitSessions(createSessions<Claims, { note?: string }>({
  origin: process.env.ORIGIN ?? 'http://localhost:3000',
  store: openSqliteStore(process.env.DATABASE ?? 'example.db'),
  accessTokenLifetime: Number(process.env.ACCESS_TOKEN_LIFETIME ?? 3600),
  cookie: { refreshTokenPath: '/' }, // so that the hook gets the refresh token, to refresh before a page is rendered
}), { error })
