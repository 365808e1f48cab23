// The pages that are loaded after the first one was shown.
export { AuditPage } from './audit.tsx'
export { FindPage } from './find.tsx'
export { HealthPage } from './health.tsx'
export { InspectorPage } from './inspector.tsx'
export { KeysPage } from './keys.tsx'
export { SessionPage } from './session.tsx'
export { TheftsPage } from './thefts.tsx'
export { UserPage } from './user.tsx'
