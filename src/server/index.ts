export { readSettings, settingDescriptions } from './settings.ts'
export type { LogLevel, ServerSettings, SettingDescription, SettingSources } from './settings.ts'
export { startServer } from './server.ts'
export type { KeyturnServer, ServerParts } from './server.ts'
