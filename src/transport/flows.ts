// What a request with a good access token does not need: one place to take it from, or to load it from.
export { authenticateHandshake } from './handshake.ts'
export { refreshSession } from './refresh-session.ts'
export { renewSession } from './renew-session.ts'
export { handleSessionRoute } from './session-routes.ts'
export { startSession } from './start-session.ts'
