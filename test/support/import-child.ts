// A process that takes an old session over 15 times at once, when it is asked to.
import { importSessions } from '../../src/import/index.ts'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { OldSystem } from './old-sessions.ts'
import { RT, startSessionServer } from './session-server.ts'

const old = new OldSystem()
old.sessions.set('id-1', { userId: 'alice' })
const server = await startSessionServer({
  store: openSqliteStore(process.argv[2] ?? ''),
  imports: importSessions({ importers: [old], until: '2026-06-30', mode: 'keep' }),
})
process.on('message', () => void (async () => {
  const clients = Array.from({ length: 15 }, () => {
    const client = server.client()
    client.keep('old=id-1; Path=/')
    return client
  })
  await Promise.all(clients.map(client => client.send('GET', '/me')))
  process.send?.(clients.map(client => client.cookie(RT)))
})())
process.send?.('ready')
