import { schema } from './setting-schema.ts'
import { settingDescriptions } from './settings.ts'

/**
 * The JSON schema (draft 2020-12) of the configuration file, made from the table of settings. The package has it as
 * `dist/config.schema.json`, for editors: a file may name it as `$schema`.
 */
export function configSchema(): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'The configuration file of keyturn serve',
    type: 'object',
    additionalProperties: false,
    properties: {
      $schema: { type: 'string', description: 'The place of this schema.' },
      ...Object.fromEntries(settingDescriptions.map(({ name, help, defaultValue, isList, isSecret }) => [name, {
        ...schema[name].read.shape,
        description: `${help}${isSecret && name !== 'store' ? '. A secret: give it in the environment instead' : ''}`,
        ...defaultValue === '' ? {} : { default: isList ? defaultValue.split(',') : defaultValue },
      }])),
    },
  }
}
