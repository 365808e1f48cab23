/** The tenants that a server serves besides `public`; null: all. */
export type ServedTenants = ReadonlySet<string> | null

/** Whether a tenant is served. */
export function servesTenant(tenants: ServedTenants, tenantId: string): boolean {
  return tenantId === 'public' || tenants === null || tenants.has(tenantId)
}
