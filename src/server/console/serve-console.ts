import type { IncomingMessage, ServerResponse } from 'node:http'
import { platform } from '#platform'
import type { Clock } from '../../base/time.ts'
import { isLoopbackHost } from '../../base/loopback.ts'
import { createConsole } from '../../console/create-console.ts'
import type { OpenedConsole } from '../../console/create-console.ts'
import { createKeyLogin } from '../../console/key-login.ts'
import type { ConsoleKey } from '../../console/key-login.ts'
import type { SessionEvents } from '../../session/events.ts'
import type { SessionStore } from '../../session/store.ts'
import { ACCESS_TOKEN_TYPE } from '../../tokens/key-store.ts'
import { readPackageFile } from '../../platform/read-package-file.ts'
import { CONSOLE_PATH } from '../../transport/console-port.ts'
import type { ConsolePlace } from '../../transport/console-port.ts'
import { splitAppId } from '../app-id.ts'
import type { Application } from '../application.ts'
import { replyJson } from '../http/reply.ts'
import type { Reply } from '../http/reply.ts'
import { packageVersion } from '../package-version.ts'
import type { ServerSettings } from '../settings.ts'
import { describeConfiguration } from './configuration.ts'
import { describeConsole } from './openapi.ts'
import { ConsoleCookies, ServerRequest, toReply } from './exchange.ts'

/** The console of a server. */
export interface ServerConsole {
  /** Answers a request; null if the response is a stream. `path` is without the server's base path. */
  answer(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    query: URLSearchParams,
  ): Promise<Reply | null>
  close(): Promise<void>
}

/** What the console of a server needs. */
export interface ServerConsoleParts {
  readonly settings: ServerSettings
  readonly apps: ReadonlyMap<string, Application>
  /** Where console sessions are kept. */
  readonly store: SessionStore
  /** `http://host:port`, where the server listens. */
  readonly url: string
  readonly clock: Clock
  readonly followStoreTime: boolean
  readonly events: SessionEvents
}

const noSuchApp: Reply = replyJson({ code: 'not_found', message: 'The server has no such application.' }, 404)

/** Whether a path, without the server's base path, is one of the console of an application. */
export function isConsolePath(path: string): boolean {
  const { rest } = splitAppId(path)
  return rest === CONSOLE_PATH || rest.startsWith(`${CONSOLE_PATH}/`)
}

/** Opens the consoles of all applications, with one login. */
export async function openServerConsole(parts: ServerConsoleParts): Promise<ServerConsole> {
  const { settings, apps, store, url, clock, followStoreTime, events } = parts
  const { crypto, schedule } = platform
  const origin = settings.publicOrigin ?? url
  const placeOf = (appId: string): ConsolePlace => ({
    origin, path: `${settings.basePath}${appId === 'public' ? '' : `/appid-${appId}`}${CONSOLE_PATH}`,
  })
  const login = createKeyLogin({
    store, crypto, clock, followStoreTime, schedule, events,
    secrets: settings.secrets,
    keys: consoleKeysOf(settings),
    place: placeOf('public'),
    otherOrigins: localOrigins(origin),
  })
  await login.ready()
  const configuration = describeConfiguration(settings)
  const version = packageVersion()
  const consoles = new Map<string, OpenedConsole>()
  for (const [appId, app] of apps) {
    consoles.set(appId, createConsole({
      engine: app, core: app.native, place: placeOf(appId), application: appId, version, configuration, schedule,
      readPackageFile,
      retireUser: async () => undefined,
      formats: [
        {
          typ: ACCESS_TOKEN_TYPE,
          issuer: app.issuer,
          audience: settings.audience,
          identify: token => app.native.identify(token),
        },
        { typ: 'JWT', issuer: null, audience: null, identify: token => app.core.identify(token) },
      ],
    }, login, login.origins))
  }

  return {
    async answer(request, response, path, query) {
      const { appId, rest } = splitAppId(path)
      const console = consoles.get(appId)
      if (console === undefined) return noSuchApp
      if (rest === `${CONSOLE_PATH}/api/openapi.json` && request.method === 'GET') {
        return replyJson(describeConsole(placeOf(appId)))
      }
      const reply = new ConsoleCookies()
      const answer = await console.handler.handle({
        exchange: { request: new ServerRequest(request, `${settings.basePath}${path}`, query), reply },
        authorize: () => null,
        body: () => request,
      })
      return answer === null ? noSuchApp : toReply(answer, reply, response)
    },
    async close() {
      for (const console of consoles.values()) console.close()
      await login.close()
    },
  }
}

/** The keys that may log in: those of the console, or else the server's API keys, which may do everything anyway. */
export function consoleKeysOf(
  { consoleKeys, apiKeys }: Pick<ServerSettings, 'consoleKeys' | 'apiKeys'>,
): readonly ConsoleKey[] {
  if (consoleKeys.length === 0) {
    return apiKeys.map((key, index) => ({ name: `API key ${index + 1}`, role: 'manage', key }))
  }
  return consoleKeys.map(text => {
    const [name = '', role, key = ''] = text.split(':')
    return { name, role: role === 'manage' ? 'manage' : 'read', key }
  })
}

/** The names under which browsers on this machine reach a server that only they can reach. */
function localOrigins(origin: string): readonly string[] {
  const { protocol, hostname, port } = new URL(origin)
  if (!isLoopbackHost(hostname)) return []
  return ['localhost', '127.0.0.1', '[::1]'].map(name => new URL(`${protocol}//${name}:${port}`).origin)
}
