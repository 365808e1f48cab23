// The published browser SDK, with a Django project that uses the Python package, and the server behind it.
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe } from 'vitest'
import { defaultCookieNames } from '../../src/base/cookie-names.ts'
import { startServer } from '../../src/server/create-server.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { gunicorn, pythonPackage, startDjango } from '../support/django.ts'
import { preparePython } from '../support/python.ts'
import { createDirectory, removeDirectory } from '../support/servers/workspace.ts'
import { LIFETIME } from './support/example.ts'
import { describeSdkLife } from './support/sdk-life.ts'
import type { SdkApplication } from './support/sdk-life.ts'

const API_KEY = 'a-key-that-no-one-guesses'
const ISSUER = 'https://sessions.example.com'
const python = await preparePython(join(pythonPackage, 'requirements/dev.txt'))

/** Starts the server and the project, with one clock that the test moves. */
async function start(frontEnd: string): Promise<SdkApplication> {
  let passed = 0
  const folder = createDirectory()
  const clockFile = join(folder, 'clock')
  const writeClock = (): void => {
    writeFileSync(`${clockFile}.new`, `${passed / 1000}`)
    renameSync(`${clockFile}.new`, clockFile)
  }
  writeClock()
  const server = await startServer(
    { port: 0, apiKeys: [API_KEY], issuer: ISSUER, logLevel: 'silent', accessTokenValidity: LIFETIME / 1000 },
    { clock: () => Date.now() + passed, openStore: async () => createMemoryStore() },
  )
  const django = await startDjango({
    python: python ?? '',
    folder: join(pythonPackage, 'tests'),
    command: gunicorn('wsgi:application'),
    environment: origin => ({
      APP_ORIGIN: origin, FRONT_END: frontEnd, KEYTURN_URL: server.url, KEYTURN_KEY: API_KEY, KEYTURN_ISSUER: ISSUER,
      CLOCK_FILE: clockFile,
    }),
  })
  const { accessToken, refreshToken } = defaultCookieNames(new URL(django.origin))
  return {
    ...django,
    cookieNames: [accessToken, refreshToken],
    async pass(milliseconds) {
      passed += milliseconds
      writeClock()
    },
    async stop() {
      await django.stop()
      await server.close()
      removeDirectory(folder)
    },
  }
}

describe.skipIf(python === null)('Django', () => {
  describeSdkLife('supertokens-website in Chromium', start)
})
