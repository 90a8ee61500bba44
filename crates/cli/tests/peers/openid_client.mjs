// npm's openid-client: the operations of README.md, "Clients".
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { webcrypto } from 'node:crypto'

// Node.js 18, which Debian 12 has, keeps these behind a flag.
globalThis.crypto ??= webcrypto
globalThis.CryptoKey ??= webcrypto.CryptoKey

const load = (path) => import(pathToFileURL(join(process.argv[2], 'node_modules', path)))
const oidc = await load('openid-client/build/index.js')
const jose = await load('jose/dist/webapi/index.js')

const clients = []

async function authentication({ method, secret, key }) {
  switch (method) {
    case 'none': return oidc.None()
    case 'client_secret_basic': return oidc.ClientSecretBasic(secret)
    case 'client_secret_post': return oidc.ClientSecretPost(secret)
    case 'private_key_jwt': return oidc.PrivateKeyJwt({ key: await jose.importJWK(key, key.alg), kid: key.kid })
  }
  throw new Error(`unknown method ${method}`)
}

async function setup(wanted) {
  const options = { execute: [oidc.allowInsecureRequests] }
  const config = await oidc.discovery(new URL(wanted.issuer), wanted.id, undefined, await authentication(wanted), options)
  const dpop = wanted.dpop ? { DPoP: oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256')) } : {}
  clients.push({ config, dpop, redirect: wanted.redirect })
  return { client: clients.length - 1 }
}

async function begin({ client, scope, more = {}, pushed }) {
  const known = clients[client]
  known.verifier = oidc.randomPKCECodeVerifier()
  known.state = oidc.randomState()
  known.nonce = oidc.randomNonce()
  const parameters = {
    redirect_uri: known.redirect,
    scope,
    state: known.state,
    nonce: known.nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(known.verifier),
    code_challenge_method: 'S256',
    ...more,
  }
  if (known.dpop.DPoP) parameters.dpop_jkt = await known.dpop.DPoP.calculateThumbprint()
  known.maxAge = more.max_age === undefined ? undefined : Number(more.max_age)
  const url = pushed
    ? await oidc.buildAuthorizationUrlWithPAR(known.config, parameters, known.dpop)
    : oidc.buildAuthorizationUrl(known.config, parameters)
  return { url: url.href }
}

async function finish({ client, url }) {
  const known = clients[client]
  const checks = {
    pkceCodeVerifier: known.verifier,
    expectedState: known.state,
    expectedNonce: known.nonce,
    maxAge: known.maxAge,
    idTokenExpected: true,
  }
  const tokens = await oidc.authorizationCodeGrant(known.config, new URL(url), checks, undefined, known.dpop)
  return { tokens, claims: tokens.claims() }
}

async function refresh({ client, token }) {
  const { config, dpop } = clients[client]
  return { tokens: await oidc.refreshTokenGrant(config, token, undefined, dpop) }
}

async function credentials({ client, scope, resource }) {
  const { config, dpop } = clients[client]
  return { tokens: await oidc.clientCredentialsGrant(config, { scope, resource }, dpop) }
}

async function device({ client, scope }) {
  const known = clients[client]
  known.device = await oidc.initiateDeviceAuthorization(known.config, { scope })
  return known.device
}

async function poll({ client }) {
  const { config, device, dpop } = clients[client]
  const tokens = await oidc.pollDeviceAuthorizationGrant(config, device, undefined, dpop)
  return { tokens, claims: tokens.claims() }
}

async function exchange({ client, token, audience }) {
  const { config, dpop } = clients[client]
  const kind = 'urn:ietf:params:oauth:token-type:access_token'
  const asked = { subject_token: token, subject_token_type: kind, audience }
  return { tokens: await oidc.genericGrantRequest(config, 'urn:ietf:params:oauth:grant-type:token-exchange', asked, dpop) }
}

async function userinfo({ client, token, sub }) {
  const { config, dpop } = clients[client]
  return oidc.fetchUserInfo(config, token, sub, dpop)
}

const introspect = ({ client, token }) => oidc.tokenIntrospection(clients[client].config, token)

async function revoke({ client, token }) {
  await oidc.tokenRevocation(clients[client].config, token)
  return {}
}

async function logout({ client, hint, to, state }) {
  const parameters = { id_token_hint: hint, post_logout_redirect_uri: to, state }
  return { url: oidc.buildEndSessionUrl(clients[client].config, parameters).href }
}

const operations = { setup, begin, finish, refresh, credentials, device, poll, exchange, userinfo, introspect, revoke, logout }
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line)
  let answer
  try {
    answer = { ok: await operations[request.op](request) }
  } catch (error) {
    const why = [error.error, error.error_description, error.message, error.cause?.message, JSON.stringify(error.cause?.body)]
    answer = { refused: `${error.name}: ${why.filter(Boolean).join('; ')}` }
  }
  console.log(JSON.stringify(answer))
}
