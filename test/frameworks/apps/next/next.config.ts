import { fileURLToPath } from 'node:url'
import type { NextConfig } from 'next'

const config: NextConfig = {
  turbopack: { root: fileURLToPath(new URL('../../../..', import.meta.url)) },
  // Next would redirect a path that ends with a slash.
  skipTrailingSlashRedirect: true,
  // The variant `mounted`: the same routes under a prefix.
  rewrites: async () => [{ source: '/api/:path*', destination: '/:path*' }],
}

export default config
