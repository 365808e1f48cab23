import type { UserRemoval } from '../session/store.ts'

/** Whose logins a not-before refuses: those of everybody. */
export const everybody = '*'

/** Those of a user, in one tenant or in all. No two have the same name: a tenant's id holds no space. */
export function notBeforeName({ userId, tenantId }: Pick<UserRemoval, 'userId' | 'tenantId'>): string {
  return tenantId === null ? `user ${userId}` : `tenant ${tenantId} ${userId}`
}

/** The names of the not-befores that a login must pass. */
export function notBeforeNames(login: { readonly userId: string; readonly tenantId: string }): readonly string[] {
  return [everybody, notBeforeName({ userId: login.userId, tenantId: null }), notBeforeName(login)]
}
