// What an editor shows over the commonest calls, asked of the language service of TypeScript 6, since 7.0 has none with
// an API. The package is the installed one.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { consumer } from '../support/package/pack.ts'
import { olderCompiler } from '../support/runtimes/install.ts'

/** The part of the language service that is used. */
interface LanguageService {
  getQuickInfoAtPosition(file: string, position: number): {
    readonly documentation?: readonly Part[]
    readonly tags?: readonly { readonly name: string; readonly text?: readonly Part[] }[]
  } | undefined
}

interface Part {
  readonly text: string
}

interface TypeScript {
  readonly ScriptSnapshot: { fromString(text: string): unknown }
  readonly sys: {
    fileExists(path: string): boolean
    readFile(path: string): string | undefined
    readDirectory(path: string): readonly string[]
    directoryExists(path: string): boolean
    getDirectories(path: string): readonly string[]
  }
  readonly ModuleKind: { readonly NodeNext: number }
  readonly ModuleResolutionKind: { readonly NodeNext: number }
  getDefaultLibFilePath(options: object): string
  createLanguageService(host: object): LanguageService
}

const compiler = olderCompiler('6.0')
const file = join(consumer, 'hovers.ts')

/** An application that makes the calls. */
const application = `
import express from 'express'
import { createSessions, isSessionError, returnAddress } from 'keyturn'
import { createClient } from 'keyturn/client'
import { expressSessions } from 'keyturn/frameworks/express'
import { createPostgresStore } from 'keyturn/stores/postgres'
import { openSqliteStore } from 'keyturn/stores/sqlite'
import { createVerifier } from 'keyturn/verify'

const sessions = expressSessions(createSessions({ origin: 'https://app.example.com', store: openSqliteStore('a.db') }))
createPostgresStore('postgres://localhost/app')
createVerifier({ issuer: 'https://app.example.com/auth' })
createClient().fetch('/me')
const app = express()
app.use(sessions.sessionRoutes(), sessions.cors(), sessions.requireSession(), sessions.errorHandler())
app.get('/', async (request, response) => {
  const session = await sessions.createNewSession(request, response, 'ada')
  await sessions.getSession(request, response)
  await sessions.refreshSession(request, response)
  await sessions.signOut(request, response)
  await sessions.readSession(request)
  sessions.sessionOf(request)
  session.getUserId()
  session.getJwtPayload()
  await session.getSessionInfo()
  await session.updateSessionInfo({})
  await session.updateJwtPayload({})
  await session.revokeSession()
  await sessions.revokeAllSessionsForUser('ada')
  await sessions.listSessions('ada')
  await sessions.ready()
  await sessions.close()
  isSessionError(returnAddress('/'))
})
`

/** The calls, what their hover begins with, and what it also says: costs, units, errors. */
const calls: readonly (readonly [call: string, begins: string, ...also: readonly string[]])[] = [
  ['createSessions', 'Creates the sessions of an application.', '@throws GeneralError', '@example'],
  ['expressSessions', 'Adds the calls for Express to `sessions`', '@throws GeneralError', '@example'],
  ['openSqliteStore', 'Opens a store on a SQLite file.', '@throws GeneralError'],
  ['createPostgresStore', 'Creates a store on a PostgreSQL database.', '@throws GeneralError'],
  ['createVerifier', 'Creates a verifier.', '@throws GeneralError', '@example'],
  ['createClient', 'Creates the client of one server.', '@throws Error', '@example'],
  ['fetch', 'Like the platform\'s `fetch`.', '@throws SessionUnavailableError'],
  [
    'createNewSession', 'Creates a session for a user who has just authenticated', '1 store call',
    '@throws InvalidDataError', '@example',
  ],
  ['getSession', 'Verifies the session of a request.', '0 store calls', '@throws UnauthorizedError', '@example'],
  ['refreshSession', 'Exchanges the refresh token of a request', 'RFC 9700', '@throws TokenTheftDetectedError'],
  ['signOut', 'Revokes the session of a request', '1 store call', '@throws CrossSiteRequestError'],
  ['readSession', 'Reads the session of a request where no response can be written', '0 store calls'],
  ['requireSession', 'Returns a middleware that lets only requests with a session pass'],
  ['sessionOf', 'The session that `requireSession` found', '@throws GeneralError'],
  ['sessionRoutes', 'Returns the middleware for Keyturn\'s own routes'],
  ['errorHandler', 'Returns the middleware that answers Keyturn\'s errors', 'Mount it last'],
  ['cors', 'Returns the middleware that writes CORS headers', 'Mount it first'],
  ['getUserId', 'The id of the user', '0 store calls'],
  ['getJwtPayload', 'The application\'s claims', '0 store calls'],
  ['getSessionInfo', 'Returns the session data.', '1 store call', '@throws UnauthorizedError'],
  ['updateSessionInfo', 'Replaces the session data.', '1 store call', '@throws InvalidDataError'],
  ['updateJwtPayload', 'Replaces the JWT payload', '1 store call', '@throws InvalidDataError'],
  ['revokeSession', 'Revokes the session', '1 store call'],
  ['revokeAllSessionsForUser', 'Revokes every session of a user', '1 store call'],
  ['listSessions', 'Returns a page of a user\'s active sessions, newest first', '1 store call'],
  ['ready', 'Opens the store and checks it', '@throws GeneralError'],
  ['close', 'Stops all timers and the feed'],
  ['isSessionError', 'Whether a caught value is an error of Keyturn.'],
  ['returnAddress', 'Checks the address that a login page got', '@throws GeneralError', '@example'],
]

describe.skipIf(compiler === null)('the hover over', () => {
  let service: LanguageService

  beforeAll(async () => {
    writeFileSync(file, application)
    const { href } = pathToFileURL(join(compiler ?? '', '../../lib/typescript.js'))
    const { default: typescript }: { default: TypeScript } = await import(href)
    const { sys } = typescript
    const options = {
      module: typescript.ModuleKind.NodeNext, moduleResolution: typescript.ModuleResolutionKind.NodeNext, target: 10,
      strict: true, types: ['node'], lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
    }
    service = typescript.createLanguageService({
      getCompilationSettings: () => options,
      getScriptFileNames: () => [file],
      getScriptVersion: () => '1',
      getScriptSnapshot: (path: string) => (
        sys.fileExists(path) ? typescript.ScriptSnapshot.fromString(readFileSync(path, 'utf8')) : undefined
      ),
      getCurrentDirectory: () => consumer,
      getDefaultLibFileName: typescript.getDefaultLibFilePath,
      fileExists: sys.fileExists, readFile: sys.readFile, readDirectory: sys.readDirectory,
      directoryExists: sys.directoryExists, getDirectories: sys.getDirectories,
    })
  })

  const textOf = (parts: readonly Part[] = []): string => parts.map(({ text }) => text).join('')

  function hoverOf(call: string): string {
    const found = new RegExp(`(?<=[.( ]|^)${call}(?=\\()`, 'm').exec(application)
    const info = service.getQuickInfoAtPosition(file, found?.index ?? -1)
    const tags = (info?.tags ?? []).map(({ name, text }) => `@${name} ${textOf(text)}`)
    return [textOf(info?.documentation), ...tags].join('\n')
  }

  test.each(calls)('%s', (call, begins, ...also) => {
    const hover = hoverOf(call)
    expect(hover.slice(0, begins.length)).toBe(begins)
    for (const part of also) expect(hover).toContain(part)
  })
})
