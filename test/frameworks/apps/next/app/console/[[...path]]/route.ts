import { sessions } from '../../../sessions.ts'

const console = sessions.console({
  authorize: request => request.headers.get('x-operator') === 'manager' ? { name: 'ada', role: 'manage' } : null,
})

async function serve(request: Request): Promise<Response> {
  return await console(request) ?? new Response(null, { status: 404 })
}

export { serve as DELETE, serve as GET, serve as POST, serve as PUT }
