import { defineParams } from '@sveltejs/kit/params'

/** The prefix of the variant `mounted`. */
export const params = defineParams({ prefix: segment => segment === 'api' ? segment : undefined })
