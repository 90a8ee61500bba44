// An application with a brand asks for somebody: sign-in, consent, taking it back; a device; and what is shown when it fails.
import { createHash } from 'node:crypto'
import { issuer, somebody, tell } from './person.mjs'
import { admin } from './server.mjs'

const PASSWORD = 'seven quiet otters juggle'
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const BACK = `${issuer}/healthz`

// A square of one colour, 8 by 8 pixels.
const LOGO = 'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR42mPgzvPHihiGlgQAeOUyAWxdOPsAAAAASUVORK5CYII='

const client = { grants: ['authorization_code', 'refresh_token'], audiences: ['api'], scopes: ['openid', 'email', 'orders:read'] }
await admin('POST', '/api/admin/clients', { client_id: 'shop', name: 'The Shop', redirect_uris: [BACK], ...client })
await admin('PUT', '/api/admin/clients/shop/brand', {
  logo: LOGO, colour: '#0b6e4f', policy_uri: 'https://shop.example/privacy', tos_uri: 'https://shop.example/terms',
})
await admin('POST', '/api/admin/clients', { ...client, client_id: 'tv', name: 'The Television', public: true, grants: ['device_code', 'refresh_token'] })

function authorize(more = {}) {
  const challenge = createHash('sha256').update(VERIFIER).digest('base64url')
  const asked = {
    client_id: 'shop', redirect_uri: BACK, response_type: 'code', scope: 'openid email orders:read', state: 's', nonce: 'n',
    code_challenge: challenge, code_challenge_method: 'S256', ...more,
  }
  return `/authorize?${new URLSearchParams(asked)}`
}

await tell(async (way) => {
  const email = `eve@${way.name}.example`
  await admin('POST', '/api/admin/users', { email, password: PASSWORD })
  const person = await somebody(way)
  await person.open(authorize())
  await person.sees('to go on to The Shop', 'Privacy policy')
  await person.look('brand-sign-in')
  await person.signIn(email, PASSWORD)
  await person.sees('The Shop', 'see your e-mail address', 'use the permission orders:read')
  await person.look('consent')
  await person.press('Allow')
  await person.page.waitForURL(/healthz\?code=/)

  const device = await (await fetch(`${issuer}/device`, { method: 'POST', body: new URLSearchParams({ client_id: 'tv', scope: 'openid' }) })).json()
  await person.open('/ui/device')
  await person.look('device')
  await person.write('Code', 'WRONGCOD')
  await person.press('Go on')
  await person.look('device-problem')
  await person.write('Code', device.user_code)
  await person.press('Go on')
  await person.sees('The Television', device.user_code)
  await person.look('device-confirm')
  await person.press('Let it in')
  await person.look('device-done')

  await person.open('/account')
  await person.sees('The Shop', 'use the permission orders:read')
  await person.look('account-applications')
  await person.press('Take it back from The Shop')
  await person.sees('That application may not use your account any more')
  await person.open(authorize())
  await person.sees('orders:read')
  await person.press('Do not allow')
  await person.page.waitForURL(/error=access_denied/)

  await person.open(authorize({ redirect_uri: 'https://evil.example/' }))
  await person.look('error')
  await person.open('/ui/email/verify?token=nonsense')
  await person.look('error-link')
  await person.leave()
})
