// Keyturn with tRPC on Express: procedures find the session in their context.
import { initTRPC, TRPCError } from '@trpc/server'
import { createExpressMiddleware } from '@trpc/server/adapters/express'
import express from 'express'
import { createSessions } from 'keyturn'
import { expressSessions } from 'keyturn/frameworks/express'
import { trpcSessions } from 'keyturn/frameworks/trpc'
import { openSqliteStore } from 'keyturn/stores/sqlite'

const { PORT = '3000', DATABASE = 'example.db' } = process.env
const origin = `http://127.0.0.1:${PORT}`

const sessions = trpcSessions(
  expressSessions(createSessions({ origin, store: openSqliteStore(DATABASE) })),
  { TRPCError },
)

const t = initTRPC.context().create()
const userProcedure = t.procedure.use(async ({ ctx, next }) => next({ ctx: { session: await ctx.getSession() } }))

const router = t.router({
  login: t.procedure.mutation(async ({ ctx }) => {
    const session = await ctx.createNewSession('ada', { role: 'reader' }) // a real application checks a password here
    return session.getHandle()
  }),
  me: userProcedure.query(({ ctx }) => ({ userId: ctx.session.getUserId(), ...ctx.session.getJwtPayload() })),
  logout: userProcedure.mutation(({ ctx }) => ctx.session.revokeSession()),
})

const app = express()
app.use(sessions.sessionRoutes())
app.use('/trpc', createExpressMiddleware({ router, createContext: options => sessions.context(options) }))
app.listen(Number(PORT), '127.0.0.1', error => {
  if (error) throw error
  console.log(`Keyturn example: ${origin}`)
})
process.once('SIGTERM', () => process.exit(0))
