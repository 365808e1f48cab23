// What this room does beyond verifying, most of it changes of sessions: one place to take it from, or to load it from.
export { createAntiCsrfToken, isAntiCsrfToken } from '../tokens/anti-csrf.ts'
export { createKeyVault } from '../tokens/key-material.ts'
export { create } from './create.ts'
export { identifyAccessToken, ownerOfRefreshToken } from './identify.ts'
export { reissueAccessToken, renewAccessToken } from './issue.ts'
export { end, endAllOfUser, findLive, list, listHandles, removeEverySession, updateInfo, updatePayload } from './manage.ts'
export { refresh } from './refresh.ts'
