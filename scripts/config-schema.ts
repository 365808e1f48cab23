// Writes the JSON schema of the server's configuration file into the built package: npm run build
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configSchema } from '../src/server/config-schema.ts'

writeFileSync(join(import.meta.dirname, '../dist/config.schema.json'), `${JSON.stringify(configSchema(), null, 2)}\n`)
