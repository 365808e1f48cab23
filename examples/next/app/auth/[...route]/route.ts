import { sessions } from '@/sessions'

// POST /auth/session/refresh, POST /auth/signout, GET /auth/jwt/jwks.json
export const { GET, POST } = sessions.sessionRoutes()
