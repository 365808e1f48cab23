import { parseHandle } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { Crypto } from '../tokens/crypto.ts'
import type { ConsoleOperator } from '../transport/console-port.ts'
import type { OriginClass } from '../transport/csrf.ts'
import type { ConsoleErrorCode, Role } from './api-types.ts'

/** Why a request is not admitted. */
export type Refusal = Extract<
  ConsoleErrorCode, 'foreign_origin' | 'unauthenticated' | 'invalid_change_token' | 'read_only'
>

/** What an operation demands. */
export interface AccessRequirements {
  /** The least role; null: it needs no login. */
  readonly needs: Role | null
  /** Whether it must come from a page of the console, as every change must. */
  readonly isGuarded: boolean
}

/** What is known of a request. */
export interface AccessFacts {
  readonly origin: OriginClass
  readonly operator: Pick<ConsoleOperator, 'role'> | null
  /** Whether the request has a change token of its operator. */
  readonly hasChangeToken: boolean
}

/** Why a request is refused; null if it is not. Pure. */
export function refusalOf({ needs, isGuarded }: AccessRequirements, facts: AccessFacts): Refusal | null {
  const { origin, operator, hasChangeToken } = facts
  // A request that a browser did not send has no such headers: it cannot use a browser's cookies, and may only read.
  if (origin === 'untrusted' || (isGuarded && origin !== 'trusted')) return 'foreign_origin'
  if (needs === null) return null
  if (operator === null) return 'unauthenticated'
  if (isGuarded && !hasChangeToken) return 'invalid_change_token'
  return needs === 'manage' && operator.role !== 'manage' ? 'read_only' : null
}

/** The responses to refusals. */
export const refusals: Readonly<Record<Refusal, readonly [status: number, message: string]>> = {
  foreign_origin: [403, 'The request does not come from a page of this console: nothing was changed. Open the console '
    + 'at its own address.'],
  unauthenticated: [401, 'You are not logged in to this console, or your console session has ended: log in.'],
  invalid_change_token: [403,
    'The request has no valid token of this login: nothing was changed. Load the page again.'],
  read_only: [403, 'Your role is "read": it sees everything and changes nothing. Somebody with the role "manage" can '
    + 'do this.'],
}

/** Whether a value that an application returned is an operator. */
export function isOperator(value: unknown): value is ConsoleOperator {
  if (typeof value !== 'object' || value === null || !('name' in value) || !('role' in value)) return false
  const { name, role } = value
  return typeof name === 'string' && name.length > 0 && name.length <= 255 && (role === 'read' || role === 'manage')
}

/**
 * A handle that stands for an operator of an application, so that change tokens can be bound to name and role. No
 * session has it: those are random.
 */
export async function handleOfOperator(
  { name, role }: ConsoleOperator,
  crypto: Pick<Crypto, 'sha256'>,
): Promise<SessionHandle> {
  const digest = await crypto.sha256(`keyturn console\0${role}\0${name}`)
  const handle = parseHandle(`h${digest.slice(0, 21)}A`)
  if (handle === null) throw new RangeError('the digest is not base64url')
  return handle
}
