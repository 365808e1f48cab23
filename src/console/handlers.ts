import { SessionNotFoundError } from '../base/errors.ts'
import type { Engine } from '../session/engine.ts'
import { requireCdiUserId } from '../session/identifiers.ts'
import { listActive, newestLogins, revokeByUser } from '../session/manage.ts'
import { createKeyPolicy } from '../tokens/plan-rotation.ts'
import type { StreamedResponse } from '../transport/exchange.ts'
import type { ConsoleFinding, Keys, LoginInfo, SignedInOperator, Overview, Revoked, SessionRows } from './api-types.ts'
import { audited } from './audit.ts'
import { rowCondition, describeRow, showSession } from './describe-session.ts'
import { describeKeyRows } from './describe-keys.ts'
import { exportEvents, listEvents } from './event-handlers.ts'
import { findingsOfClock, findingsOfHealth, findingsOfKeys, worstFirst } from './findings.ts'
import { inspectToken } from './inspect.ts'
import { logIn, logOut } from './login-handlers.ts'
import { meanings } from './meanings.ts'
import type { ConsoleOperationId } from './operations.ts'
import { replaceData } from './replace-data.ts'
import { filterOf, requestedPage } from './request.ts'
import type { ConsoleRequest, OpenRequest } from './request.ts'
import { countSessionsInUse } from './sessions-in-use.ts'
import { noContent, answerJson } from './responses.ts'

/** The operations that need no login. */
type OpenOperationId = 'readLogin' | 'logIn'

type Handler = (request: ConsoleRequest) => Promise<StreamedResponse>

const product = (version: string): LoginInfo['product'] => ({ name: 'Keyturn', version })

/** The handlers of the operations that need no login. */
export const openHandlers: Readonly<Record<OpenOperationId, (request: OpenRequest) => Promise<StreamedResponse>>> = {
  readLogin: async ({ subject, access }) => (
    answerJson({ login: access.login, product: product(subject.version) } satisfies LoginInfo)
  ),
  logIn,
}

/** The handlers of all other operations. */
export const consoleHandlers: Readonly<Record<Exclude<ConsoleOperationId, OpenOperationId>, Handler>> = {
  logOut,

  async readOperator({ subject, access, operator }) {
    const { name, role, tokenHandle, session } = operator
    return answerJson({
      name, role, login: access.login, session,
      product: product(subject.version),
      changeToken: await access.tokens.createAntiCsrfToken(tokenHandle),
      application: subject.application,
      now: subject.engine.clock(),
    } satisfies SignedInOperator)
  },

  async readOverview({ subject: { engine }, sampler }) {
    const health = await engine.health()
    const now = engine.clock()
    return answerJson({
      now, health, meanings,
      counters: sampler.counters(),
      series: sampler.series(now),
      sessionsInUse: countSessionsInUse(engine),
    } satisfies Overview)
  },

  async listSessions({ subject: { engine }, query }) {
    const [userId, filter, page] = [query.get('userId'), filterOf(query), requestedPage(query)]
    const { sessions, next } = userId === null ? await newestLogins(engine, filter, page)
      : await listActive(engine, requireCdiUserId(userId), rowCondition(filter), page)
    return answerJson({ sessions: sessions.map(describeRow), next } satisfies SessionRows)
  },

  readStoredSession: async ({ subject, parameters }) => (
    answerJson(showSession(await subject.core.getStoredSession(parameters['handle'] ?? '')))
  ),

  async endSession({ subject: { engine, core }, operator, parameters }) {
    const { record: { handle, userId } } = await core.getStoredSession(parameters['handle'] ?? '')
    const sentence = `Revoke the session ${handle} of the user ${JSON.stringify(userId)}.`
    const revoked = await audited(
      engine, { action: 'revoke-session', operator, userId, handle, sentence }, () => core.revokeSession(handle),
      isRevoked => isRevoked ? 'The session was revoked.' : 'The session had ended before.')
    if (!revoked) throw new SessionNotFoundError()
    return noContent
  },

  async endSessionsOfUser({ subject: { engine, retireUser }, operator, body: { userId: given, except, tenantId } }) {
    const userId = requireCdiUserId(given)
    const options = {
      ...typeof except === 'string' ? { except } : {}, ...typeof tenantId === 'string' ? { tenantId } : {},
    }
    const which = options.except === undefined ? 'all sessions' : `the sessions except ${options.except}`
    const where = options.tenantId === undefined ? '' : ` in the tenant ${options.tenantId}`
    const handles = await audited(
      engine,
      {
        action: 'revoke-user', operator, userId, handle: null,
        sentence: `Revoke ${which} of the user ${JSON.stringify(userId)}${where}.`,
      },
      async () => {
        const revoked = await revokeByUser(engine, userId, options)
        if (options.tenantId === undefined) await retireUser(userId)
        return revoked
      },
      revoked => revoked.length === 1 ? '1 session was revoked.' : `${revoked.length} sessions were revoked.`)
    return answerJson({ revoked: handles.length } satisfies Revoked)
  },

  replacePayload: request => replaceData(request, 'payload'),
  replaceInfo: request => replaceData(request, 'info'),
  listEvents,
  exportEvents,

  async listKeys({ subject: { engine, core } }) {
    // Reads the keys, and creates the first ones.
    const jwks = await core.getJwks()
    const [keys, now] = [await engine.store.listKeys(), await engine.now()]
    const rows = describeKeyRows(keys, createKeyPolicy(engine.policy), now)
    const { keys: status } = await engine.health()
    return answerJson({
      keys: rows,
      nextRotation: status?.nextRotation ?? null,
      jwks: { keys: jwks.keys.map(key => ({ ...key })) },
      findings: findingsOfKeys(keys),
    } satisfies Keys)
  },

  async addKeys({ subject: { engine, core }, operator }) {
    await audited(
      engine, { action: 'rotate-keys', operator, userId: null, handle: null, sentence: 'Add the next keys.' },
      () => core.rotateKeys(), () => 'The next keys are published, and are used an hour later.')
    return noContent
  },

  inspectToken: async ({ subject, body }) => answerJson(await inspectToken(subject, String(body['token']))),

  async readHealth({ subject: { engine, configuration } }) {
    const health = await engine.health()
    const findings = [
      ...findingsOfHealth(health), ...health.store.isReachable ? await examineClock(engine) : [],
      ...findingsOfKeys(engine.keys.listed() ?? []),
    ]
    return answerJson({ health, findings: worstFirst(findings), configuration })
  },
}

/** Compares the clocks of this machine and of the store. */
async function examineClock({ clock, store }: Pick<Engine, 'clock' | 'store'>): Promise<readonly ConsoleFinding[]> {
  const asked = clock()
  const told = await store.time().catch(() => null)
  return told === null ? [] : findingsOfClock({ asked, told, answered: clock() })
}
