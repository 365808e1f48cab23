import type { IncomingMessage } from 'node:http'
import { isDeepStrictEqual } from 'node:util'
import { isSessionError } from '../../base/errors.ts'
import type { JsonObject, JsonValue } from '../../base/json.ts'
import type { PolicyOptions } from '../../session/policy.ts'
import { createApiKeyCheck, readApiKeys } from '../api-keys.ts'
import { APP_ID } from '../app-id.ts'
import type { Application } from '../application.ts'
import { settingTexts, InvalidSettingError } from '../setting-texts.ts'
import { fail } from './fields.ts'

/** Applications that callers make while the server runs, as the test suites of SDKs do. */
export interface DynamicApplications {
  /**
   * Makes an application. Whether there was none of that id. It is served when this is done, whoever made it.
   * @throws RejectedRequest for settings that can not be had.
   */
  make(appId: string, settings: JsonObject): Promise<boolean>
  /** Ends an application that was made, and forgets its sessions. Whether there was one. */
  remove(appId: string): Promise<boolean>
  /** Whether a request carries the API key that the application was made with. */
  isAllowed(request: IncomingMessage, appId: string): boolean
  /** Makes no more applications, and ends all that were made or are being made. */
  close(): Promise<void>
}

/** What applications are made with. */
export interface DynamicApplicationsDependencies {
  /** The applications that are served. Those that are made are added to them. */
  readonly apps: Map<string, Application>
  /** The ids of those of the server's settings: they are neither made nor removed, and have no key of their own. */
  readonly fixed: ReadonlySet<string>
  readonly open: (appId: string, options: PolicyOptions) => Promise<Application>
}

interface MadeApp {
  readonly settings: JsonObject
  readonly isAllowed: (request: IncomingMessage) => boolean
  /** Settles when the application is served, or can not be. */
  readonly opening: Promise<Application>
}

/** Each has keys and timers: nobody needs as many (DOS-04). */
const MAX_APPS = 1000

/** Makes applications with `open`. */
export function createDynamicApplications({ apps, fixed, open }: DynamicApplicationsDependencies): DynamicApplications {
  const made = new Map<string, MadeApp>()
  let isClosed = false

  async function make(appId: string, settings: JsonObject): Promise<boolean> {
    const known = made.get(appId)
    if (known !== undefined || fixed.has(appId)) {
      if (!isDeepStrictEqual(settings, known?.settings ?? {})) {
        fail('an application keeps the settings that it was made with')
      }
      await known?.opening
      return false
    }
    if (!APP_ID.test(appId)) fail('appId must have 1 to 64 characters a-z, 0-9 and -')
    if (made.size >= MAX_APPS) fail('there are too many applications')
    if (isClosed) fail('the server makes no more applications')
    const isAllowed = createApiKeyCheck(apiKeysOf(settings['api_keys']))
    const opening = serve(appId, readPolicy(settings))
    made.set(appId, { settings, isAllowed, opening })
    try {
      await opening
    } catch (error) {
      made.delete(appId)
      throw error
    }
    return true
  }

  async function serve(appId: string, policy: PolicyOptions): Promise<Application> {
    try {
      const app = await open(appId, policy)
      apps.set(appId, app)
      return app
    } catch (error) {
      if (isSessionError(error) && error.code === 'MISUSE') fail(error.message)
      throw error
    }
  }

  async function remove(appId: string): Promise<boolean> {
    const known = made.get(appId)
    // Whoever makes it hears why it can not be opened. Then there is nothing to remove.
    const app = await known?.opening.catch(() => undefined)
    // Somebody else may have removed it in the meantime.
    if (app === undefined || made.get(appId) !== known) return false
    made.delete(appId)
    apps.delete(appId)
    await app.close()
    return true
  }

  return {
    make,
    remove,
    // ADM-01: what is served and is neither fixed nor known is nobody's.
    isAllowed: (request, appId) => made.get(appId)?.isAllowed(request) ?? (fixed.has(appId) || !apps.has(appId)),
    async close() {
      isClosed = true
      await Promise.all([...made.keys()].map(remove))
    },
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

/** The keys of an application, in one text with commas between. None at all is said by leaving them out. */
function apiKeysOf(value: JsonValue | undefined): readonly string[] {
  if (value === undefined || value === null) return []
  if (typeof value !== 'string') fail('api_keys must be a text')
  try {
    const keys = readApiKeys(settingTexts(value, true))
    return keys.length > 0 ? keys : fail('api_keys must have a key')
  } catch (error) {
    if (error instanceof InvalidSettingError) fail(`api_keys must be ${error.message}`)
    throw error
  }
}
