// One process of the application, as it runs in production, but for its clock, which the test moves.
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTick } from 'node:timers/promises'
import { getHeapSpaceStatistics } from 'node:v8'
import { isSessionError } from '../../../src/base/errors.ts'
import { nodeSessions } from '../../../src/frameworks/node.ts'
import { createSessions } from '../../../src/index.ts'
import type { SessionEvents } from '../../../src/session/events.ts'
import { createPostgresStore } from '../../../src/stores/postgres.ts'
import type { Command, Measurement, Message, ProcessState, Question } from './messages.ts'
import { createSteppedClock } from './stepped-clock.ts'
import { watchStore } from './watched-store.ts'

const settings = {
  url: process.env['DAY_DATABASE'] ?? '',
  origin: process.env['DAY_ORIGIN'] ?? '',
  secret: process.env['DAY_SECRET'] ?? '',
  now: Number(process.env['DAY_NOW']),
  tokenCacheSize: Number(process.env['DAY_TOKEN_CACHE']),
}

const time = createSteppedClock(settings.now)
// Calls are answered or lost within R/4 = 7.5 s, as law 1 demands.
const watched = watchStore(createPostgresStore(settings.url, { poolSize: 5, requestTimeout: '7s' }))
const events = new Map<string, number>()
const errors = new Map<string, number>()
const count = (where: Map<string, number>, what: string): void => void where.set(what, (where.get(what) ?? 0) + 1)
const describe = (error: unknown): string => (
  isSessionError(error) ? `${error.code}: ${error.message}` : String(error)
)

const listeners: SessionEvents = {
  onSessionCreated: () => count(events, 'created'),
  onSessionRefreshed: ({ how }) => count(events, `refreshed: ${how}`),
  onSessionRevoked: ({ reason }) => count(events, `revoked: ${reason}`),
  onTokenTheft: () => count(events, 'theft'),
  onRefreshShared: () => count(events, 'shared'),
  onRefreshRejected: ({ reason }) => count(events, `rejected: ${reason}`),
  onKeyRotated: ({ purpose }) => count(events, `key: ${purpose}`),
  onBackgroundError: ({ during, error }) => count(events, `background: ${during}: ${describe(error)}`),
  onUncheckedRevocation: () => count(events, 'unchecked'),
  onMisconfiguration: ({ code }) => count(events, `misconfiguration: ${code}`),
}

const sessions = nodeSessions(createSessions({
  origin: settings.origin,
  secret: settings.secret,
  store: watched.store,
  accessTokenLifetime: '5m',
  tokenCacheSize: settings.tokenCacheSize,
  clock: time.clock,
  schedule: time.schedule,
  events: listeners,
}), { onError: error => count(errors, describe(error)) })

interface Body {
  readonly userId: string
  readonly handles: readonly string[]
}
type Route = (request: IncomingMessage, response: ServerResponse, body: Body) => Promise<unknown>

const routes: Readonly<Record<string, Route>> = {
  'POST /login': async (request, response, { userId }) => {
    const session = await sessions.createNewSession(request, response, userId, { role: 'reader' })
    return { handle: session.getHandle() }
  },
  'GET /me': async (request, response) => ({ userId: (await sessions.getSession(request, response)).getUserId() }),
  'POST /act': async (request, response) => ({ userId: (await sessions.getSession(request, response)).getUserId() }),
  'POST /admin/revoke': async (_request, _response, { handles }) => sessions.revokeSessions(handles),
  'POST /admin/revoke-user': async (_request, _response, { userId }) => sessions.revokeAllSessionsForUser(userId),
  'POST /admin/revoke-everybody': () => sessions.revokeEverySession(),
  'POST /admin/count': async () => (await sessions.getAllSessionHandlesForUser('user-1')).length,
  'POST /admin/rotate-keys': () => sessions.rotateKeys(),
}
const answerOwn = sessions.sessionRoutes()
const answerError = sessions.errorHandler()
let isStopping = false

const server = createServer((request, response) => void (async () => {
  if (isStopping) response.setHeader('connection', 'close')
  try {
    if (await answerOwn(request, response)) return
    const route = routes[`${request.method} ${request.url}`]
    if (route === undefined) return void response.writeHead(404).end()
    const result = await route(request, response, await readBody(request))
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(result ?? null))
  } catch (error) {
    answerError(error, request, response)
  }
})())

async function readBody(request: IncomingMessage): Promise<Body> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return { userId: '', handles: [], ...text === '' ? {} : JSON.parse(text) as Partial<Body> }
}

async function obey(command: Command): Promise<Measurement | ProcessState | null> {
  if (command.kind === 'measure') return measure()
  if (command.kind === 'advance') {
    await time.advance(command.by, command.settle ? watched.settle : nextTick)
    return null
  }
  return {
    events: Object.fromEntries(events),
    errors: Object.fromEntries(errors),
    storeCalls: Object.fromEntries(watched.calls),
    pending: watched.pending(),
    resources: countResources(),
  }
}

async function measure(): Promise<Measurement> {
  let heap = Number.POSITIVE_INFINITY
  for (let round = 0; round < 5; round++) {
    global.gc?.()
    await nextTick()
    heap = Math.min(heap, dataInHeap())
  }
  return { heap, resources: countResources() }
}

/** Bytes in use, without machine code and bytecode: functions are compiled when they run first, or become hot. */
function dataInHeap(): number {
  const spaces = getHeapSpaceStatistics().filter(({ space_name: name }) => !/code|trusted/.test(name))
  return spaces.reduce((sum, { space_used_size: size }) => sum + size, 0)
}

function countResources(): Readonly<Record<string, number>> {
  const resources: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1
  return resources
}

/** Tries again if the store did not answer in time, as the orchestrator of a busy machine does. */
async function becomeReady(): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await sessions.ready()
    } catch (error) {
      count(events, `not ready: ${describe(error)}`)
      if (attempt === 5) throw error
    }
  }
}

const tell = (message: Message): void => void process.send?.(message)

process.on('message', ({ id, command }: Question) => {
  void obey(command).then(answer => tell({ kind: 'answer', id, answer }))
})

// The process ends when nothing keeps it: what is not closed would show here.
process.once('SIGTERM', () => {
  isStopping = true
  server.close(() => void sessions.close().then(() => process.disconnect()))
  server.closeIdleConnections()
})

// If the test is killed, nobody asks this process to stop.
process.once('disconnect', () => {
  if (!isStopping) process.exit(1)
})

await becomeReady()
server.listen(0, '127.0.0.1', () => tell({ kind: 'listening', port: (server.address() as AddressInfo).port }))
