import type { CoreParts } from '../session/engine.ts'
import type {
  ConnectedImports, ForeignCookie, ForeignCredential, ImportRequest, SessionImporter, TakeOverOutcome,
} from '../session/importer.ts'
import type { ClientInfo } from '../session/record.ts'
import type { ApplicationIdentity } from '../tokens/refresh-token.ts'
import type { TokenClaims, TokenStyle } from '../tokens/token-format.ts'
import type { SessionImports } from '../transport/imports.ts'
import { isOver } from './decide.ts'
import { importFlows } from './http.ts'
import { createNegatives } from './negatives.ts'
import { createPlan, requireEnd } from './plan.ts'
import type { ImportOptions, ImportPlan } from './plan.ts'
import { readCredential } from './old-system.ts'
import { endCredential, takeSessionOver } from './take-over.ts'
import type { TakeOverParts } from './claim-session.ts'

/** An import of live sessions, for the option `imports` of `createSessions` and for `checkImport`. */
export interface ImportSetup extends SessionImports {
  /** The checked options. */
  readonly plan: ImportPlan
}

/**
 * Prepares the import of live sessions of other systems (docs/import.md). Keyturn looks at their credentials only if a
 * request has no token of Keyturn.
 * @throws GeneralError (`MISUSE`) if an option is invalid.
 * @example
 * createSessions({
 *   origin: 'https://app.example.com',
 *   imports: importSessions({ importers: [fromExpressSession({ ... })], until: '2027-01-31', mode: 'keep' }),
 * })
 */
export function importSessions(options: ImportOptions): ImportSetup {
  const plan = createPlan(options)
  return { plan, connect: (core, application) => connect(core, application, plan), http: importFlows }
}

function connect<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  core: CoreParts<Payload, Info, Style, Claims>,
  application: ApplicationIdentity,
  plan: ImportPlan,
): ConnectedImports<Payload, Claims, Style> {
  requireEnd(plan, core.clock())
  const parts = { core, application, plan, negatives: createNegatives(core.clock) }
  const active = (): readonly SessionImporter[] => isOver(plan, core.clock()) ? [] : plan.importers

  /** Ends the session of a request's credential. False if it is left alone: its cookies are not to be cleared. */
  async function endIn(importer: SessionImporter, request: ImportRequest): Promise<boolean> {
    try {
      const credential = await readCredential(importer, request, plan.sourceTimeout)
      return credential === null || await endCredential(parts, importer, credential)
    } catch (error) {
      core.emit('onBackgroundError', { during: 'import', error })
      return true
    }
  }

  return {
    async find(request, at) {
      for (const importer of active()) {
        if (at === 'request' && importer.at === 'refresh') continue
        const credential = await readCredential(importer, request, plan.sourceTimeout)
        if (credential === null) continue
        return {
          mode: credential.mode,
          takeOver: (client, style = core.format.defaultStyle) => (
            finish(parts, request, importer, credential, client, style)
          ),
        }
      }
      return null
    },
    announces: request => active().some(importer => importer.announces?.(request) ?? false),
    async end(request, after) {
      const cookies: ForeignCookie[] = []
      if (after === 'login' && plan.mode === 'keep') return cookies
      for (const importer of active()) {
        const isOurs = await endIn(importer, request)
        if (isOurs) cookies.push(...present(request, importer))
      }
      return cookies
    },
    async retireUser(userId) {
      for (const importer of active()) {
        try {
          await importer.retireUser?.(userId)
        } catch (error) {
          core.emit('onBackgroundError', { during: 'import', error })
        }
      }
    },
  }
}

/** Takes a session over, reports a refusal, and decides which cookies to clear. */
async function finish<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  parts: TakeOverParts<Payload, Info, Style, Claims>,
  request: ImportRequest,
  importer: SessionImporter,
  credential: ForeignCredential,
  client: ClientInfo,
  style: Style,
): Promise<TakeOverOutcome<Payload, Claims>> {
  const { plan, core } = parts
  const outcome = await takeSessionOver(parts, importer, credential, client, style)
  if (outcome.kind === 'left') return outcome
  const clearings = present(request, importer)
  if (outcome.kind === 'taken') return { ...outcome, clearings: plan.mode === 'retire' ? clearings : [] }
  const { reason, handle } = outcome
  core.emit('onImportRefused', { source: importer.source, reason, handle })
  // Data that does not fit is a mistake of the application's: the user keeps the cookie until it is repaired.
  if (reason === 'unwritable') return { kind: 'left' }
  const isOwn = reason === 'ended' || reason === 'revoked'
  return { kind: 'over', clearings: plan.mode === 'retire' || isOwn ? clearings : [] }
}

/** The cookies to clear that the request has. */
function present(request: ImportRequest, importer: SessionImporter): readonly ForeignCookie[] {
  return importer.clearings(request).filter(({ name }) => request.cookies(name).length > 0)
}
