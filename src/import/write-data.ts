import type { CoreParts } from '../session/engine.ts'
import { requireTenantId } from '../session/identifiers.ts'
import type { LiveForeignSession } from '../session/importer.ts'
import type { SessionRecord } from '../session/record.ts'
import type { InputOf } from '../session/data-types.ts'
import type { JsonObject } from '../base/json.ts'
import type { TokenClaims, TokenStyle } from '../tokens/token-format.ts'

/** What writing a session's data needs. */
type Writers<Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims> = Pick<
  CoreParts<Payload, Info, Style, Claims>, 'payloads' | 'infos' | 'requireUserId' | 'format'
>

/**
 * Checks user, tenant and data of a session as a login does, and writes the data.
 * @throws InvalidDataError that says what does not fit.
 */
export async function writeImported<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  { payloads, infos, requireUserId, format }: Writers<Payload, Info, Style, Claims>,
  session: LiveForeignSession,
): Promise<Pick<SessionRecord, 'jwtPayload' | 'sessionInfo'>> {
  const userId = requireUserId(session.userId)
  const tenantId = requireTenantId(session.tenantId ?? 'public')
  const jwtPayload = await payloads.write(asInput<Payload>(session.jwtPayload))
  const sessionInfo = await infos.write(asInput<Info>(session.sessionInfo))
  const refusal = format.findLengthProblem({ userId, tenantId }, jwtPayload, format.defaultStyle)
  if (refusal !== null) throw refusal
  return { jwtPayload, sessionInfo }
}

/** The data as what the schema accepts: the schema validates it. */
function asInput<Data extends object>(data: JsonObject = {}): InputOf<Data> {
  if (isInput<InputOf<Data>>(data)) return data
  throw new TypeError('unreachable')
}

function isInput<Input>(value: unknown): value is Input {
  return typeof value === 'object'
}
