import { GeneralError } from '../base/errors.ts'
import { parseJsonObject } from '../base/json.ts'
import { received } from '../base/options.ts'
import type { Rules } from '../base/options.ts'
import type { Scheduler } from '../base/scheduler.ts'
import type { Engine } from '../session/engine.ts'
import { ACCESS_TOKEN_TYPE } from '../tokens/key-store.ts'
import type { ConsolePlace } from '../transport/console-port.ts'
import type { HttpPolicy } from '../transport/http-policy.ts'
import { handleOfOperator, isOperator } from './access.ts'
import { configurationOf, durationInWords } from './configuration.ts'
import { createConsole } from './create-console.ts'
import type { OpenedConsole } from './create-console.ts'
import type { ConsoleAccess, ConsoleCore, ConsoleSubject } from './subject.ts'

type ReadPackageFile = (path: string) => Promise<string | null>

/** What the console of an application is opened with. */
export interface EmbeddedConsoleParts {
  readonly engine: Engine
  readonly core: ConsoleCore
  readonly retireUser: ConsoleSubject['retireUser']
  readonly place: ConsolePlace
  readonly httpPolicy: HttpPolicy
  readonly application: string
  readonly audience: string | null
  /** The options of `createSessions` and their rules. */
  readonly options: object
  readonly rules: Rules
  readonly schedule: Scheduler
}

/** Opens the console of an application: its option `authorize` decides who may use it. */
export async function createEmbeddedConsole(
  parts: EmbeddedConsoleParts,
  readPackageFile: ReadPackageFile,
): Promise<OpenedConsole> {
  const { engine, core, retireUser, place, httpPolicy, application, audience, options, rules, schedule } = parts
  const { policy } = engine
  return createConsole({
    engine, core, retireUser, place, application, schedule, readPackageFile,
    formats: [{
      typ: ACCESS_TOKEN_TYPE, issuer: httpPolicy.issuer, audience, identify: token => core.identify(token),
    }],
    version: await readVersion(readPackageFile),
    configuration: configurationOf(rules, options, {
      'reuseInterval': durationInWords(policy.reuseInterval),
      'store': 'the SQLite file keyturn.db',
      'cookie.accessTokenName': httpPolicy.cookies.accessToken.attributes.name,
      'cookie.refreshTokenName': httpPolicy.cookies.refreshToken.attributes.name,
    }),
  }, accessByApplication(parts), {
    origin: place.origin, isTrustedOrigin: origin => origin === place.origin, cookies: httpPolicy.cookies,
  })
}

function accessByApplication({ core, engine }: EmbeddedConsoleParts): ConsoleAccess {
  return {
    login: 'embedded',
    tokens: core,
    keyLogin: null,
    async find({ authorize }) {
      const found: unknown = await authorize()
      if (found === null) return null
      if (isOperator(found)) {
        const { name, role } = found
        return { name, role, tokenHandle: await handleOfOperator(found, engine.crypto), session: null }
      }
      throw new GeneralError('MISUSE',
        'the option authorize of console must return null or { name, role }, with a name of '
          + `1 to 255 characters and the role "read" or "manage"; it returned ${received(found, false)}`)
    },
  }
}

/** The version of the package; `unknown` if it was bundled without its package.json. */
async function readVersion(readPackageFile: ReadPackageFile): Promise<string> {
  const { version } = parseJsonObject(await readPackageFile('package.json') ?? '') ?? {}
  return typeof version === 'string' ? version : 'unknown'
}
