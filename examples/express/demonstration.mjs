// For the demonstration alone, and for the page on this machine alone: it stops the database, expires tokens, loses
// answers, plays a thief, and shows the code of each card. Never offer any of this in an application.
import { readFileSync } from 'node:fs'
import Bowser from 'bowser'
import express from 'express'
import { GeneralError, TryRefreshTokenError } from 'keyturn/errors'
import { createThief } from './thief.mjs'

const accessTokenPattern = /sAccessToken[^=;]*=([^;]+)|^Bearer (.+)$/
const refreshTokenPattern = /sRefreshToken[^=;]*=kt1\.[^.]+\.[^.]+\.(\d+)\.(\d+)\./

export function createDemonstration({ origin, accessTokenLifetime, reuseInterval }) {
  const { port } = new URL(origin)
  const hosts = [`localhost:${port}`, `127.0.0.1:${port}`]
  const thief = createThief(`http://127.0.0.1:${port}`)
  const expired = new Set()
  const thefts = new Map()
  let isStopped = false
  let losesNext = false

  /** A store that fails while the database is "stopped". */
  function stoppable(store) {
    return new Proxy(store, {
      get(target, name) {
        const method = target[name]
        if (typeof method !== 'function' || name === 'close' || name === 'follow') return method
        return (...input) => isStopped
          ? Promise.reject(new GeneralError('STORE_UNAVAILABLE', 'the database is stopped, for the demonstration'))
          : method.apply(target, input)
      },
    })
  }

  /** Stands before all routes. */
  function interfere(request, response, next) {
    const agent = request.get('x-demonstration-agent')
    if (agent !== undefined) request.headers['user-agent'] = agent
    if (request.path === '/auth/session/refresh') {
      const lose = losesNext && request.get('user-agent') !== thief.userAgent
      if (lose) losesNext = false
      changeAnswer(response, lose)
    } else if (request.path === '/login') changeAnswer(response, false)
    else if (!/^\/(?:auth|demonstration)\//.test(request.path) && expired.has(accessTokenOf(request))) {
      next(new TryRefreshTokenError('the access token was expired for the demonstration'))
      return
    }
    next()
  }

  /** Tells the page the generation and the branch of a new refresh token; or loses the answer on the way. */
  function changeAnswer(response, lose) {
    const end = response.end.bind(response)
    response.end = (...content) => {
      const place = refreshTokenPattern.exec([response.getHeader('set-cookie')].flat().join())
      if (place !== null) response.setHeader('x-demonstration-place', `${place[1]}.${place[2]}`)
      if (!lose) return end(...content)
      for (const name of response.getHeaderNames()) response.removeHeader(name)
      response.statusCode = 504
      return end('the answer was lost behind the server, for the demonstration')
    }
  }

  /** Refuses what does not come from the page of this server, on this machine. */
  function requireOwnPage(request, response, next) {
    const { origin: sender, host } = request.headers
    const isLocal = /^(?:::ffff:)?127\.|^::1$/.test(request.socket.remoteAddress ?? '')
    const isOwn = sender === undefined
      ? ['same-origin', undefined].includes(request.headers['sec-fetch-site'])
      : hosts.some(each => sender === `http://${each}`)
    if (isLocal && isOwn && hosts.includes(host)) next()
    else response.status(403).json({ message: 'the demonstration serves its own page only' })
  }

  function routes(sessions) {
    const router = express.Router()
    router.use(['/demonstration', '/auth/session/refresh/copy'], requireOwnPage)

    router.get('/demonstration/state', (_request, response) => void response.json({
      isStopped, accessTokenLifetime, repetitionWindow: 2000 * reuseInterval,
    }))
    router.put('/demonstration/database', (request, response) => {
      isStopped = request.body?.isStopped === true
      response.json({ isStopped })
    })
    router.post('/demonstration/lose', (_request, response) => {
      losesNext = true
      response.json({})
    })
    // From now on the server refuses the access token of this request, as if its lifetime were over.
    router.post('/demonstration/expire', (request, response) => {
      if (expired.size > 1000) expired.clear()
      expired.add(accessTokenOf(request))
      response.json({})
    })

    // A browser sends the refresh token to paths below that of its cookie only.
    router.post('/auth/session/refresh/copy', async (request, response) => {
      const session = await sessions.getSession(request, response)
      response.json({ ...thief.copy(request.headers.cookie), handle: session.getHandle() })
    })
    router.post('/demonstration/thief/refresh', async (_request, response) => void response.json(await thief.refresh()))
    router.post('/demonstration/thief/call', async (_request, response) => void response.json(await thief.call()))

    router.get('/demonstration/theft/:handle', (request, response) => {
      response.json(thefts.get(request.params.handle) ?? null)
    })
    router.get('/demonstration/code', (_request, response) => void response.json(readCode()))
    return router
  }

  return {
    stoppable,
    interfere,
    routes,
    /** Keeps the evidence of a theft for the page. */
    noteTheft(theft) {
      const named = use => ({ ...use, name: programOf(use.by.userAgent) })
      thefts.set(theft.handle, { ...theft, presented: named(theft.presented), current: named(theft.current) })
    },
  }
}

function accessTokenOf(request) {
  const { cookie = '', authorization = '' } = request.headers
  const [, fromCookie, fromHeader] = accessTokenPattern.exec(authorization) ?? accessTokenPattern.exec(cookie) ?? []
  return fromHeader ?? fromCookie ?? ''
}

function programOf(userAgent) {
  const { browser, os } = Bowser.parse(userAgent || 'unknown')
  return [browser.name || (userAgent ?? 'an unknown program'), os.name].filter(Boolean).join(' on ')
}

/** The statements that each card shows: a file, and how the first line of the statement begins. */
const statements = {
  session: [['server.mjs', "app.post('/login'"], ['public/session.js', 'export const client']],
  refresh: [['server.mjs', "app.get('/me'"], ['public/session.js', 'export function call']],
  theft: [['server.mjs', 'const reuseInterval'], ['server.mjs', '    onTokenTheft'], ['thief.mjs', '  const send']],
  devices: [
    ['server.mjs', "app.get('/devices'"], ['server.mjs', "app.delete('/devices',"], ['server.mjs', "app.get('/live'"],
  ],
  data: [['server.mjs', "app.post('/payload'"], ['server.mjs', "app.route('/info'"]],
}

/** Reads the statements from the files that run. */
function readCode() {
  const read = ([file, start]) => {
    const lines = readFileSync(new URL(file, import.meta.url), 'utf8').split('\n')
    return { file, ...statementAt(lines, lines.findIndex(line => line.startsWith(start))) }
  }
  return Object.fromEntries(Object.entries(statements).map(([card, list]) => [card, list.map(read)]))
}

/** A statement: from the comment before its first line to the last line that is indented deeper, or closes it. */
export function statementAt(lines, index) {
  const depth = lines[index].search(/\S/)
  const isComment = line => line.slice(depth).startsWith('//') && line.search(/\S/) === depth
  let first = index
  while (first > 0 && isComment(lines[first - 1])) first--
  let last = index
  while (last + 1 < lines.length && belongs(lines[last + 1], depth)) last++
  return { line: first + 1, text: lines.slice(first, last + 1).map(line => line.slice(depth)).join('\n') }
}

function belongs(line, depth) {
  const indentation = line.search(/\S/)
  return indentation > depth || (indentation === depth && /^[})\]]/.test(line.slice(depth)))
}
