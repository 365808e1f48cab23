import { inWords } from '../../base/duration.ts'
import type { ConfigurationEntry } from '../../console/api-types.ts'
import { kindOfStore } from '../../stores/registry.ts'
import { schema } from '../setting-schema.ts'
import type { ServerSettings } from '../setting-schema.ts'
import { settingDescriptions } from '../settings.ts'

/** The settings of a server in effect, without secrets: of the store, which may contain a password, only its kind. */
export function describeConfiguration(settings: ServerSettings): readonly ConfigurationEntry[] {
  return settingDescriptions.map(({ name, isSecret }) => {
    const value: unknown = settings[name]
    const defaultValue: unknown = schema[name].read(schema[name].defaultValue, false)
    const isDefault = JSON.stringify(value) === JSON.stringify(defaultValue)
    if (name === 'store') return { name, value: kindOfStore(settings.store).title, isDefault }
    const isTime = schema[name].placeholder === 'TIME'
    return { name, value: isTime && typeof value === 'number' ? inWords(value) : inText(value, isSecret), isDefault }
  })
}

function inText(value: unknown, isSecret: boolean): string {
  if (value === null || value === '' || (Array.isArray(value) && value.length === 0)) return 'not set'
  if (isSecret) return Array.isArray(value) ? `set (${value.length})` : 'set'
  return Array.isArray(value) ? value.join(', ') : String(value)
}
