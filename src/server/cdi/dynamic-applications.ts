import type { IncomingMessage } from 'node:http'
import { isDeepStrictEqual } from 'node:util'
import { isSessionError } from '../../base/errors.ts'
import type { JsonObject, JsonValue } from '../../base/json.ts'
import { outsideRequests } from '../../base/outside-requests.ts'
import type { PolicyOptions } from '../../session/policy.ts'
import { createApiKeyCheck, readApiKeys } from '../api-keys.ts'
import { APP_ID } from '../app-id.ts'
import type { Application } from '../application.ts'
import { settingTexts, InvalidSettingError } from '../setting-texts.ts'
import { fail } from './fields.ts'

/** Applications that requests create while the server runs, as the test suites of SDKs do. */
export interface DynamicApplications {
  /**
   * Creates an application. Returns true if this call created it, false if it exists already. In both cases it is
   * served when the promise resolves.
   * @throws RejectedRequest for invalid settings, or for settings other than those of the existing application.
   */
  make(appId: string, settings: JsonObject): Promise<boolean>
  /** Removes an application that a request has created, with its sessions. Returns whether there was one. */
  remove(appId: string): Promise<boolean>
  /** Whether a request carries an API key that the application was created with. */
  isAllowed(request: IncomingMessage, appId: string): boolean
  /** Creates no more applications, and removes all that were created or are being created. */
  close(): Promise<void>
}

/** The dependencies of {@link createDynamicApplications}. */
export interface DynamicApplicationsDependencies {
  /** The applications that are served. New ones are added to this map. */
  readonly apps: Map<string, Application>
  /** The ids of the applications of the settings. They cannot be created or removed, and have no own API keys. */
  readonly fixed: ReadonlySet<string>
  readonly open: (appId: string, options: PolicyOptions) => Promise<Application>
}

interface MadeApp {
  readonly settings: JsonObject
  readonly isAllowed: (request: IncomingMessage) => boolean
  /** Resolves when the application is served; rejects if it cannot be opened. */
  readonly opening: Promise<Application>
}

/** The most applications that requests can create: each has keys and timers (DOS-04). */
const MAX_APPS = 1000

/** Manages applications, which it creates with `open`. */
export function createDynamicApplications({ apps, fixed, open }: DynamicApplicationsDependencies): DynamicApplications {
  const made = new Map<string, MadeApp>()
  let isClosed = false

  async function make(appId: string, settings: JsonObject): Promise<boolean> {
    const known = made.get(appId)
    if (known !== undefined || fixed.has(appId)) {
      if (!isDeepStrictEqual(settings, known?.settings ?? {})) {
        fail('the application exists with other settings, and these cannot be changed')
      }
      await known?.opening
      return false
    }
    if (!APP_ID.test(appId)) fail('appId must have 1 to 64 characters a-z, 0-9 and -')
    if (made.size >= MAX_APPS) fail(`requests have created ${MAX_APPS} applications already: remove one first`)
    if (isClosed) fail('the server is stopping and creates no more applications')
    const isAllowed = createApiKeyCheck(apiKeysOf(settings['api_keys']))
    const policy = readPolicy(settings)
    // What it starts goes on after this request.
    const opening = outsideRequests(() => serve(appId, policy))
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
    // If it cannot be opened, the call that creates it reports the error. Then there is nothing to remove.
    const app = await known?.opening.catch(() => undefined)
    // Another request may have removed it in the meantime.
    if (app === undefined || made.get(appId) !== known) return false
    made.delete(appId)
    apps.delete(appId)
    await app.close()
    return true
  }

  return {
    make,
    remove,
    // ADM-01: nobody may use an application that is served, but is neither in `fixed` nor in `made`.
    isAllowed: (request, appId) => made.get(appId)?.isAllowed(request) ?? (fixed.has(appId) || !apps.has(appId)),
    async close() {
      isClosed = true
      await Promise.all([...made.keys()].map(remove))
    },
  }
}

/** Reads the lifetimes. As in the reference, the unit is seconds for access tokens and minutes for refresh tokens. */
function readPolicy(settings: JsonObject): PolicyOptions {
  const access = readNumber(settings, 'access_token_validity')
  const refresh = readNumber(settings, 'refresh_token_validity')
  return {
    ...access === null ? {} : { accessTokenLifetime: access },
    ...refresh === null ? {} : { idleTimeout: refresh * 60 },
  }
}

/** Reads a number, which may be given as a text; null if it is missing. */
function readNumber(settings: JsonObject, name: string): number | null {
  const value = settings[name] ?? null
  if (value === null) return null
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : fail(`${name} must be a number`)
}

/** The API keys of an application: one text, separated by commas. An application without keys leaves the member out. */
function apiKeysOf(value: JsonValue | undefined): readonly string[] {
  if (value === undefined || value === null) return []
  if (typeof value !== 'string') fail('api_keys must be a text')
  try {
    const keys = readApiKeys(settingTexts(value, true), true)
    return keys.length > 0 ? keys : fail('api_keys must have a key')
  } catch (error) {
    if (error instanceof InvalidSettingError) fail(`api_keys must be ${error.message}`)
    throw error
  }
}
