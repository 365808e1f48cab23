import type { UserRemoval } from '../session/store.ts'

/** Whose logins a not-before refuses: those of everybody. */
export const everybody = '*'

/** Those of a user, in one tenant or in all. No two have the same name: a tenant's id holds no space. */
export function notBeforeName({ userId, tenantId }: Pick<UserRemoval, 'userId' | 'tenantId'>): string {
  return tenantId === null ? `user ${userId}` : `tenant ${tenantId} ${userId}`
}

/**
 * The names of the not-befores that a login must pass.
 *
 * Where statements run side by side, a login is added and committed first, and then looks for them; a removal commits its
 * not-before first, and then looks for sessions. Whichever of the two is later sees the other, at every isolation level.
 * To look within the statement that adds would not do: what is committed while that runs, it does not see.
 */
export function notBeforeNames(login: { readonly userId: string; readonly tenantId: string }): readonly string[] {
  return [everybody, notBeforeName({ userId: login.userId, tenantId: null }), notBeforeName(login)]
}
