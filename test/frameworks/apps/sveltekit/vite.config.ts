import adapter from '@sveltejs/adapter-node'
import { sveltekit } from '@sveltejs/kit/vite'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [
    sveltekit({
      adapter: adapter(),
      // SvelteKit would refuse forms and requests without a body that have no `Origin`, as native apps send them.
      // Keyturn checks every request that has a session.
      csrf: { trustedOrigins: ['*'] },
    }),
  ],
})
