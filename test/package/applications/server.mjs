// An application that is bundled: Express, the standalone server, and stores with URLs and with a client. It prints the
// outcome of each. Nothing listens at the URLs.
import { once } from 'node:events'
import express from 'express'
import { createSessions } from 'keyturn'
import { expressSessions } from 'keyturn/frameworks/express'
import { startServer } from 'keyturn/server'
import { createMemoryStore } from 'keyturn/stores/memory'
import { createMysqlStore } from 'keyturn/stores/mysql'
import { createPostgresStore } from 'keyturn/stores/postgres'
import { createRedisStore } from 'keyturn/stores/redis'
import { connect } from './client.mjs'

const nobody = '127.0.0.1:1'

async function serveExpress() {
  const sessions = expressSessions(createSessions({ origin: 'http://localhost', store: createMemoryStore() }))
  const app = express()
  app.use(sessions.sessionRoutes())
  app.post('/login', async (request, response) => {
    await sessions.createNewSession(request, response, 'alice')
    response.end()
  })
  app.get('/me', sessions.requireSession((request, response, session) => response.end(session.getUserId())))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${server.address().port}`
  const login = await fetch(`${url}/login`, { method: 'POST', headers: { origin: 'http://localhost' } })
  const cookie = login.headers.getSetCookie().map(line => line.split(';')[0]).join('; ')
  const me = await fetch(`${url}/me`, { headers: { cookie } })
  server.close()
  return `${me.status} ${await me.text()}`
}

async function serveAlone(store) {
  const server = await startServer({ store, port: 0, logLevel: 'silent' })
  const body = JSON.stringify({ userId: 'alice' })
  const headers = { 'content-type': 'application/json' }
  const created = await fetch(`${server.url}/v1/sessions`, { method: 'POST', headers, body })
  await server.close()
  return `${created.status} ${(await created.json()).userId}`
}

async function use(store) {
  await store.listKeys()
  return 'used'
}

const inTime = { requestTimeout: '300ms' }
const attempts = {
  express: serveExpress,
  server: () => serveAlone('sqlite::memory:'),
  redis: () => use(createRedisStore(`redis://${nobody}`, inTime)),
  client: async () => use(createRedisStore(await connect(`redis://${nobody}`), inTime)),
  postgres: () => use(createPostgresStore(`postgres://${nobody}/app`, inTime)),
  mysql: () => use(createMysqlStore(`mysql://${nobody}/app`, inTime)),
  serverOnPostgres: () => serveAlone(`postgres://${nobody}/app`),
}

async function main() {
  const outcomes = {}
  for (const [name, attempt] of Object.entries(attempts)) {
    outcomes[name] = await attempt().catch(error => `${error.code}: ${error.message}`)
  }
  console.log(JSON.stringify(outcomes))
  process.exit()
}

void main()
