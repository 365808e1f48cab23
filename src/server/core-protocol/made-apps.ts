import type { IncomingMessage } from 'node:http'
import { isDeepStrictEqual } from 'node:util'
import { isSessionError } from '../../base/errors.ts'
import type { JsonObject, JsonValue } from '../../base/json.ts'
import type { PolicyOptions } from '../../session/policy.ts'
import { createApiKeyCheck } from '../api-keys.ts'
import type { App } from '../app.ts'
import { fail } from './fields.ts'

/** Applications that callers make while the server runs, as the test suites of SDKs do. */
export interface MadeApps {
  /** Makes an application. Whether there was none of that id. @throws Refusal for settings that can not be had. */
  make(appId: string, settings: JsonObject): Promise<boolean>
  /** Ends an application that was made, and forgets its sessions. Whether there was one. */
  remove(appId: string): Promise<boolean>
  /** Whether a request carries the API key that the application was made with. */
  isAllowed(request: IncomingMessage, appId: string): boolean
}

interface MadeApp {
  readonly settings: JsonObject
  readonly isAllowed: (request: IncomingMessage) => boolean
}

/** Each has keys and timers: nobody needs as many (DOS-04). */
const MAX_APPS = 1000

/** Makes applications with `open` and adds them to `apps`, which has those of the server's settings already. */
export function createMadeApps(apps: Map<string, App>, open: (options: PolicyOptions) => Promise<App>): MadeApps {
  const made = new Map<string, MadeApp>()
  return {
    async make(appId, settings) {
      const known = made.get(appId)
      if (known !== undefined || apps.has(appId)) {
        if (isDeepStrictEqual(settings, known?.settings ?? {})) return false
        fail('an application keeps the settings that it was made with')
      }
      if (!/^[a-z0-9-]{1,64}$/.test(appId)) fail('appId must have 1 to 64 characters a-z, 0-9 and -')
      if (made.size >= MAX_APPS) fail('there are too many applications')
      const isAllowed = createApiKeyCheck(readApiKeys(settings['api_keys']))
      made.set(appId, { settings, isAllowed })
      try {
        apps.set(appId, await open(readPolicy(settings)))
      } catch (error) {
        made.delete(appId)
        if (isSessionError(error) && error.code === 'GENERAL_ERROR' && error.kind === 'misuse') fail(error.message)
        throw error
      }
      return true
    },

    async remove(appId) {
      const app = made.delete(appId) ? apps.get(appId) : undefined
      if (app === undefined) return false
      apps.delete(appId)
      await app.close()
      return true
    },

    isAllowed: (request, appId) => made.get(appId)?.isAllowed(request) ?? true,
  }
}

/** What has a meaning here: the lifetimes, in the reference's units of seconds and minutes. */
function readPolicy(settings: JsonObject): PolicyOptions {
  const access = readNumber(settings, 'access_token_validity')
  const refresh = readNumber(settings, 'refresh_token_validity')
  return {
    ...access === null ? {} : { accessTokenLifetime: access },
    ...refresh === null ? {} : { idleTimeout: refresh * 60 },
  }
}

/** Numbers come as texts too. */
function readNumber(settings: JsonObject, name: string): number | null {
  const value = settings[name] ?? null
  if (value === null) return null
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : fail(`${name} must be a number`)
}

function readApiKeys(value: JsonValue | undefined): readonly string[] {
  if (value === undefined || value === null) return []
  return typeof value === 'string' && value !== '' ? value.split(',') : fail('api_keys must be a text')
}
