import { fileURLToPath } from 'node:url'
import type { NextConfig } from 'next'

// The library is linked from the repository above; an application that installs it needs no `turbopack` here.
const config: NextConfig = {
  turbopack: { root: fileURLToPath(new URL('../..', import.meta.url)) },
}

export default config
