import type { NotBefore, UserRemoval } from '../session/store.ts'

/** The name under which a store keeps the not-before of all users: `removeAll` sets it. */
export const ALL_USERS = '*'

/**
 * The name of a user's not-before, in one tenant or, if `tenantId` is null, in all tenants: `removeByUser` sets it.
 * Names are unique, because a tenant's id contains no space.
 */
export function notBeforeName({ userId, tenantId }: Pick<UserRemoval, 'userId' | 'tenantId'>): string {
  return tenantId === null ? `user ${userId}` : `tenant ${tenantId} ${userId}`
}

/**
 * The names of the not-befores that a login is checked against. It is refused if one of them is later than its
 * `createdAt`.
 *
 * Where statements run concurrently, a login is inserted and committed first, and then looks for not-befores. A removal
 * commits its not-before first, and then looks for sessions. The later of the two sees the other, at every isolation
 * level. To look within the statement that inserts would not do: that statement does not see what is committed while it
 * runs.
 */
export function notBeforeNames(login: { readonly userId: string; readonly tenantId: string }): readonly string[] {
  return [ALL_USERS, notBeforeName({ userId: login.userId, tenantId: null }), notBeforeName(login)]
}

/** Merges two not-befores of one name: the later `time`, kept until the later `until`. Pure. */
export function mergeNotBefore(known: NotBefore | null, added: NotBefore): NotBefore {
  return { time: Math.max(added.time, known?.time ?? 0), until: Math.max(added.until, known?.until ?? 0) }
}
