import { InvalidDataError } from '../base/errors.ts'

/** What the id of a tenant looks like. */
export const TENANT_ID: RegExp = /^[a-z0-9-]{1,64}$/

/** Accepts the id of a tenant. @throws InvalidDataError */
export function requireTenantId(tenantId: unknown): string {
  if (typeof tenantId === 'string' && TENANT_ID.test(tenantId)) return tenantId
  throw new InvalidDataError('the tenant id must be a text of 1 to 64 lower-case letters, digits and hyphens')
}
