import { isJsonObject } from '../base/json.ts'
import type { JsonObject, JsonValue } from '../base/json.ts'
import { EVENT_RETENTION } from '../session/event-log.ts'
import type { LoggedEvent } from '../session/event-log.ts'
import { auditActions } from './api-reports.ts'
import type { AuditEvent, ConsoleEvent, TokenEvent, ShownTokenUse } from './api-types.ts'
import { showClient } from './describe-session.ts'

/** An event as the console shows it. What an older or newer version has written otherwise is left out. Pure. */
export function describeEvent(event: LoggedEvent): ConsoleEvent {
  const { id, kind, at, userId, handle, detail } = event
  const base = { id, at, until: at + EVENT_RETENTION, userId, handle }
  return kind === 'audit' ? { ...base, kind, ...auditPart(detail) } : { ...base, kind, ...tokenPart(kind, detail) }
}

type AuditPart = Pick<AuditEvent, 'action' | 'operator' | 'role' | 'stage' | 'changeId' | 'sentence'>
type TokenPart = Pick<TokenEvent, 'presented' | 'current' | 'isRevoked' | 'reason' | 'sentence'>

function auditPart(detail: JsonObject): AuditPart {
  const { action, operator, role, stage, changeId, sentence } = detail
  return {
    action: auditActions.find(known => known === action) ?? 'other',
    operator: textOf(operator),
    role: role === 'manage' ? 'manage' : 'read',
    stage: stage === 'done' || stage === 'failed' ? stage : 'intended',
    changeId: textOf(changeId),
    sentence: textOf(sentence),
  }
}

function tokenPart(kind: TokenEvent['kind'], detail: JsonObject): TokenPart {
  const reason = detail['reason'] === 'forged' || detail['reason'] === 'superseded' ? detail['reason'] : null
  const isRevoked = detail['revoked'] === true
  return {
    presented: useOf(detail['presented']), current: useOf(detail['current']), isRevoked, reason,
    sentence: `${sentences[reason ?? kind]} ${isRevoked ? 'The session was revoked.' : 'The session was not revoked.'}`,
  }
}

const sentences: Readonly<Record<TokenEvent['kind'] | 'superseded' | 'forged', string>> = {
  theft: 'Two parties have used refresh tokens of this session: one of them has a copy.',
  shared: 'One refresh token was given to two networks or user agents: the client has moved, or somebody has a copy.',
  rejected: 'A refresh token with a valid tag was rejected.',
  superseded: 'A refresh token was used that was issued before the user authenticated again.',
  forged: 'A refresh token lacks the secret of its session: somebody has made it with a leaked refresh key.',
}

function useOf(value: JsonValue | undefined): ShownTokenUse | null {
  if (!isJsonObject(value)) return null
  const { generation, branch, at, by } = value
  if (typeof generation !== 'number' || typeof branch !== 'number' || typeof at !== 'number') return null
  const client = isJsonObject(by) ? by : {}
  return {
    generation, branch, at,
    by: showClient({ ip: textOrNull(client['ip']), userAgent: textOrNull(client['userAgent']) }),
  }
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

function textOrNull(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null
}
