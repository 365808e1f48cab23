import type { NotBefore, UserRemoval } from '../session/store.ts'

/** The name under which a store keeps the not-before of everybody: `removeAll` sets it. */
export const everybody = '*'

/**
 * The name of the not-before of a user, in one tenant or (`tenantId` is null) in all: `removeByUser` sets it. No two
 * have the same name: a tenant's id holds no space.
 */
export function notBeforeName({ userId, tenantId }: Pick<UserRemoval, 'userId' | 'tenantId'>): string {
  return tenantId === null ? `user ${userId}` : `tenant ${tenantId} ${userId}`
}

/**
 * The names of the not-befores that a login must pass: it is refused if one of them is later than its `createdAt`.
 *
 * Where statements run side by side, a login is added and committed first, and then looks for them; a removal commits its
 * not-before first, and then looks for sessions. Whichever of the two is later sees the other, at every isolation level.
 * To look within the statement that adds would not do: what is committed while that runs, it does not see.
 */
export function notBeforeNames(login: { readonly userId: string; readonly tenantId: string }): readonly string[] {
  return [everybody, notBeforeName({ userId: login.userId, tenantId: null }), notBeforeName(login)]
}

/** Two not-befores of one name as one: the later holds, for the longer of the two memories. Pure. */
export function mergeNotBefore(known: NotBefore | null, added: NotBefore): NotBefore {
  return { time: Math.max(added.time, known?.time ?? 0), until: Math.max(added.until, known?.until ?? 0) }
}
